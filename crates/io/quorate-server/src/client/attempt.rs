//! What becomes of one attempt at a call.

use super::endpoints::{Endpoint, Endpoints, Target};
use super::{Client, ClientError};
use crate::failure_of;
use crate::service::parse_token;
use crate::v1::failure::Reason;
use quorate::CommitToken;
use std::error::Error;
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;
use tonic::{Code, Status};

/// Why an attempt has failed, by what is to be done about it.
#[derive(Clone, Debug)]
pub(super) enum Setback {
    /// Nothing was done; it can be tried again, perhaps elsewhere.
    NotDone { text: String },
    /// It may have been done.
    Unknown { token: Option<CommitToken>, text: String },
    /// Something that was read has been written by this commit, or before the oldest snapshot there is.
    Conflict { by: Option<CommitToken> },
    /// The session, or the request's place in it, can no longer be used.
    SessionLost { text: String },
    /// It can never be done.
    Final(ClientError),
}

impl Client {
    /// Makes one call to the node that is turned to, and turns away from it where that helps.
    pub(super) async fn attempt<T, F>(
        &self,
        limit: Duration,
        call: impl FnOnce(Endpoint) -> F,
    ) -> Result<(T, Target), Setback>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let target = self.endpoints.target();
        match timeout(limit, call(target.endpoint.clone())).await {
            Ok(Ok(answer)) => Ok((answer, target)),
            Ok(Err(status)) => Err(self.judge(&status, &target)),
            Err(_) => Err(self.silent(limit, &target)),
        }
    }

    /// What to make of what a node has said, or of a connection that broke. Turns away from it where that
    /// helps.
    pub(super) fn judge(&self, status: &Status, target: &Target) -> Setback {
        let address = &target.endpoint.address;
        let text = format!("{address}: {}", status.message());
        match failure_of(status).and_then(|failure| failure.reason) {
            Some(reason) => judge_reason(reason, text, target, &self.endpoints),
            None if status.source().is_some() => {
                if has_timed_out(status) {
                    self.endpoints.turn_away_from_silent(target.number);
                } else {
                    self.endpoints.turn_away(target.number, None);
                }
                if is_connect_error(status) {
                    Setback::NotDone { text: format!("{address} cannot be reached") }
                } else {
                    let text = format!("the connection to {address} broke");
                    Setback::Unknown { token: None, text }
                }
            }
            None => judge_code(status, text, target, &self.endpoints),
        }
    }

    /// A node has said nothing for so long. Turns away from it.
    pub(super) fn silent(&self, waited: Duration, target: &Target) -> Setback {
        self.endpoints.turn_away(target.number, None);
        let text = format!("{} has not answered within {waited:.1?}", target.endpoint.address);
        Setback::Unknown { token: None, text }
    }
}

fn judge_reason(reason: Reason, text: String, target: &Target, endpoints: &Endpoints) -> Setback {
    match reason {
        Reason::NotMaster(refusal) => {
            let master = refusal.master.map(|master| master.client_address);
            endpoints.turn_away(target.number, master.as_deref());
            Setback::NotDone { text }
        }
        Reason::InsufficientReplicas(_) | Reason::Busy(_) => Setback::NotDone { text },
        Reason::ConsistencyTimeout(_) => {
            endpoints.turn_away(target.number, None);
            Setback::NotDone { text }
        }
        Reason::OutcomeUnknown(unknown) => {
            // Without missing acknowledgements it is a node that has lost its office, or the master that it had
            // passed the write on to: it knows the next one first, while another may be the one that is silent.
            if unknown.needed > 0 {
                endpoints.turn_away(target.number, None);
            }
            Setback::Unknown { token: unknown.token.and_then(parse_token), text }
        }
        Reason::CommitLost(_) => Setback::Final(ClientError::CommitLost { reason: text }),
        Reason::NoSuchDatabase(name) => Setback::Final(ClientError::NoSuchDatabase { name }),
        Reason::Conflict(conflict) => Setback::Conflict { by: conflict.by.and_then(parse_token) },
        Reason::SnapshotTooOld(old) => Setback::Conflict { by: old.oldest.and_then(parse_token) },
        Reason::SessionExpired(_) | Reason::StaleSequence(_) => Setback::SessionLost { text },
        Reason::TokenTooOld(_) => Setback::Final(refused(&target.endpoint, text)),
    }
}

/// What a node says that gives no reason for programs.
fn judge_code(status: &Status, text: String, target: &Target, endpoints: &Endpoints) -> Setback {
    match status.code() {
        Code::Unavailable => {
            endpoints.turn_away(target.number, None);
            Setback::NotDone { text }
        }
        Code::ResourceExhausted => Setback::NotDone { text },
        Code::Cancelled | Code::DeadlineExceeded | Code::Unknown | Code::Internal | Code::Aborted => {
            endpoints.turn_away(target.number, None);
            Setback::Unknown { token: None, text }
        }
        _ => Setback::Final(refused(&target.endpoint, status.message().to_owned())),
    }
}

fn refused(endpoint: &Endpoint, reason: String) -> ClientError {
    ClientError::Refused { endpoint: endpoint.address.clone(), reason }
}

/// Whether there was no connection on which anything could have been sent.
fn is_connect_error(status: &Status) -> bool {
    causes(status).any(|cause| cause.is::<tonic::ConnectError>())
}

/// Whether the node at the other end of the connection has not answered when it was asked whether it is there.
fn has_timed_out(status: &Status) -> bool {
    causes(status).filter_map(|cause| cause.downcast_ref()).any(hyper::Error::is_timeout)
}

fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(status.source(), |cause| (*cause).source())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::OutcomeUnknown;

    /// Where a client turns to that was told of an unknown outcome by the first of two nodes.
    fn target_after(unknown: OutcomeUnknown) -> String {
        let endpoints = Endpoints::new(["a:1", "b:2"]).unwrap();
        let told =
            judge_reason(Reason::OutcomeUnknown(unknown), String::new(), &endpoints.target(), &endpoints);
        assert!(matches!(told, Setback::Unknown { token: None, .. }), "{told:?}");
        endpoints.target().endpoint.address
    }

    #[tokio::test]
    async fn calls_stay_with_a_node_that_has_lost_its_master_and_leave_a_master_that_has_lost_its_replicas() {
        assert_eq!(target_after(OutcomeUnknown { token: None, needed: 0, received: 0 }), "a:1");
        assert_eq!(target_after(OutcomeUnknown { token: None, needed: 1, received: 0 }), "b:2");
    }
}
