use super::Client;
use super::endpoints::Endpoint;
use crate::v1::{StatusRequest, StatusResponse};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What a node says of itself.
#[derive(Clone, Debug)]
pub struct NodeStatus {
    /// Where it was asked.
    pub address: String,
    /// Its answer, or why there is none.
    pub answer: Result<StatusResponse, String>,
}

impl Client {
    /// Asks all nodes, those given and those that their answers tell of, for their status. One that does not
    /// answer within `patience` is told as such.
    pub async fn statuses(&self, patience: Duration) -> Vec<NodeStatus> {
        let mut found = ask(self.endpoints.all(), patience).await;
        let told = found.iter().filter_map(|status| status.answer.as_ref().ok()).flat_map(|answer| {
            answer.members.iter().map(|member| member.client_address.clone()).collect::<Vec<_>>()
        });
        let known: Vec<String> = found
            .iter()
            .flat_map(|status| {
                let own =
                    status.answer.as_ref().ok().and_then(|answer| own_address(answer).map(str::to_owned));
                [Some(status.address.clone()), own]
            })
            .flatten()
            .collect();
        let mut others: Vec<String> = told.filter(|address| !known.contains(address)).collect();
        others.sort();
        others.dedup();
        let others = others.iter().filter_map(|address| Endpoint::new(address).ok()).collect();
        found.extend(ask(others, patience).await);
        found.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
        found
    }
}

/// Where a node's group believes it to serve clients.
fn own_address(answer: &StatusResponse) -> Option<&str> {
    let own = answer.members.iter().find(|member| member.name == answer.node)?;
    Some(&own.client_address)
}

fn sort_key(status: &NodeStatus) -> (&str, &str) {
    (status.answer.as_ref().map_or("", |answer| &answer.node), &status.address)
}

async fn ask(endpoints: Vec<Endpoint>, patience: Duration) -> Vec<NodeStatus> {
    let mut asking = JoinSet::new();
    for mut endpoint in endpoints {
        asking.spawn(async move {
            let answer = match timeout(patience, endpoint.calls.status(StatusRequest {})).await {
                Ok(Ok(answer)) => Ok(answer.into_inner()),
                Ok(Err(status)) => Err(status.message().to_owned()),
                Err(_) => Err(format!("no answer within {patience:?}")),
            };
            NodeStatus { address: endpoint.address, answer }
        });
    }
    asking.join_all().await
}
