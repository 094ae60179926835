use crate::slot::Ticket;
use quorate_core::Time;
use std::collections::BTreeMap;

/// Callers that want nothing but that time passes.
#[derive(Default)]
pub(crate) struct Pauses {
    waiting: BTreeMap<(Time, u64), Ticket<()>>,
    begun: u64,
}

impl Pauses {
    /// Takes in a caller who waits until then.
    pub(crate) fn begin(&mut self, until: Time, ticket: Ticket<()>) {
        self.begun += 1;
        self.waiting.insert((until, self.begun), ticket);
    }

    /// Tells those whose pause is over.
    pub(crate) fn end(&mut self, now: Time) {
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= now
        {
            first.remove().resolve(());
        }
    }

    /// When the next pause is over.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.waiting.first_key_value().map(|((until, _), _)| *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::slot;

    #[test]
    fn each_pause_ends_at_its_own_time() {
        let mut pauses = Pauses::default();
        let at = Time::from_nanos;
        let ((mut late, late_ticket), (mut soon, soon_ticket), (mut also_soon, ticket)) =
            (slot(), slot(), slot());
        pauses.begin(at(9), late_ticket);
        pauses.begin(at(5), soon_ticket);
        pauses.begin(at(5), ticket);
        assert_eq!(pauses.deadline(), Some(at(5)));
        pauses.end(at(5));
        assert_eq!((soon.wait(), also_soon.wait()), (Some(()), Some(())));
        assert_eq!(pauses.deadline(), Some(at(9)));
        drop(pauses);
        assert_eq!(late.wait(), None, "whoever waits longer than the node lives is released");
    }
}
