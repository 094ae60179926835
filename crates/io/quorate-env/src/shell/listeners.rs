use crate::{StateChangeEvent, StateChangeListener};
use crossbeam_channel::Receiver;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the listener thread is to do, in order.
pub(crate) enum ListenerCommand {
    Add(Box<dyn StateChangeListener>),
    Tell(StateChangeEvent),
}

/// Tells listeners of each state until all senders are gone. A listener that panics hears nothing more; the
/// others do.
pub(crate) fn run(start: StateChangeEvent, commands: &Receiver<ListenerCommand>) {
    let mut now = start;
    let mut listeners = Vec::new();
    for command in commands {
        match command {
            ListenerCommand::Add(mut listener) => {
                if tell(&mut *listener, &now) {
                    listeners.push(listener);
                }
            }
            ListenerCommand::Tell(event) => {
                now = event;
                listeners.retain_mut(|listener| tell(&mut **listener, &now));
            }
        }
    }
}

fn tell(listener: &mut dyn StateChangeListener, event: &StateChangeEvent) -> bool {
    let told = catch_unwind(AssertUnwindSafe(|| listener.state_change(event))).is_ok();
    if !told {
        tracing::error!("a state change listener has panicked; it hears nothing more");
    }
    told
}
