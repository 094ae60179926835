use tokio::task::{JoinSet, LocalSet};

/// Runs clients of a closed loop, each of which sends one request after the other, all on this thread. Returns once
/// each has come to its end.
///
/// # Errors
/// The first failure of a client; the others are given up.
pub(super) async fn run_all<E: 'static>(
    clients: impl IntoIterator<Item = impl Future<Output = Result<(), E>> + 'static>,
) -> Result<(), E> {
    let (mut running, thread) = (JoinSet::new(), LocalSet::new());
    for client in clients {
        running.spawn_local_on(client, &thread);
    }
    thread
        .run_until(async {
            while let Some(ended) = running.join_next().await {
                ended.expect("a client does not panic and is not aborted")?;
            }
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    /// Runs clients that wait in turn for others, of which one fails after so many turns if that is told.
    fn turns(clients: u32, failing_after: Option<u32>) -> (Result<(), u32>, u32) {
        let turns = Rc::new(Cell::new(0));
        let client = |_| {
            let turns = Rc::clone(&turns);
            async move {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                    turns.set(turns.get() + 1);
                    if Some(turns.get()) == failing_after {
                        return Err(turns.get());
                    }
                }
                Ok(())
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ended = runtime.block_on(run_all((0..clients).map(client)));
        (ended, turns.get())
    }

    #[test]
    fn all_clients_come_to_their_end() {
        assert_eq!(turns(3, None), (Ok(()), 30));
    }

    #[test]
    fn the_first_failure_gives_the_other_clients_up() {
        let (ended, turns) = turns(1000, Some(5));
        assert_eq!(ended, Err(5));
        assert!(turns < 10_000, "{turns}");
    }
}
