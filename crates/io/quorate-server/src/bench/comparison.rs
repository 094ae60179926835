use std::str::FromStr;

/// Whom to compare with: `etcd=HOST:PORT,...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Where the members of an etcd cluster serve clients, all of them, each `host:port`.
    pub etcd: Vec<String>,
}

/// Why a [`Comparison`] has no meaning.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonError {
    /// It does not begin with a system that the benchmark can drive.
    #[error("{given:?} does not name a system to compare with: write etcd=HOST:PORT,HOST:PORT,HOST:PORT")]
    System {
        /// As given.
        given: String,
    },
    /// One of the addresses is none.
    #[error("{endpoint:?} is no address: write host:port, ip:port or [ipv6]:port, without http://")]
    Endpoint {
        /// As given.
        endpoint: String,
    },
}

impl FromStr for Comparison {
    type Err = ComparisonError;

    fn from_str(given: &str) -> Result<Self, ComparisonError> {
        let endpoints =
            given.strip_prefix("etcd=").ok_or_else(|| ComparisonError::System { given: given.to_owned() })?;
        let etcd = endpoints.split(',').map(endpoint).collect::<Result<_, _>>()?;
        Ok(Self { etcd })
    }
}

fn endpoint(given: &str) -> Result<String, ComparisonError> {
    let is_address = given.parse::<http::uri::Authority>().is_ok_and(|parsed| {
        !parsed.host().is_empty() && !given.contains('@') && parsed.port_u16().is_some_and(|port| port > 0)
    });
    if is_address {
        Ok(given.to_owned())
    } else {
        Err(ComparisonError::Endpoint { endpoint: given.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_members_of_the_cluster_are_named() {
        let parsed: Comparison = "etcd=127.0.0.1:2379,etcd-2:22379,[::1]:32379".parse().unwrap();
        assert_eq!(parsed.etcd, ["127.0.0.1:2379", "etcd-2:22379", "[::1]:32379"]);
    }

    #[test]
    fn another_system_or_none_is_refused() {
        for given in ["", "etcd", "127.0.0.1:2379", "redis=127.0.0.1:6379"] {
            let refused = given.parse::<Comparison>();
            assert_eq!(refused, Err(ComparisonError::System { given: given.to_owned() }));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_itself() {
        for endpoint in ["", "host", "host:", "host:0", "host:70000", "http://host:1", ":2379", "user@host:1"]
        {
            let refused = format!("etcd=127.0.0.1:2379,{endpoint}").parse::<Comparison>();
            assert_eq!(refused, Err(ComparisonError::Endpoint { endpoint: endpoint.to_owned() }));
        }
    }
}
