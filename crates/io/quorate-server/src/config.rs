mod file;
mod settings_error;

pub use settings_error::SettingsError;

use file::{NodeFile, Quorum};
use quorate::{ConfigError, Member, NodeId, QuorumRule, RepConfig};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;

/// How one node of the program is set up: what its configuration file says.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// The environment.
    pub environment: RepConfig,
    /// Where clients call: `host:port`, `ip:port` or `[ipv6]:port`.
    pub client: String,
    /// Where the members' clients reach them, by name, as far as it is declared.
    pub client_addresses: HashMap<String, String>,
    /// How long a read waits unless it says otherwise.
    pub read_timeout: Duration,
    /// How many calls may be under way at a time on one client's connection.
    pub calls_max: u32,
    /// How many bytes the requests under way may take, those of all connections together.
    pub requests_bytes_max: usize,
    /// What to log.
    pub log: Option<String>,
    origin: Origin,
}

/// Where settings come from, to say in which line something is wrong.
#[derive(Clone, Debug)]
struct Origin {
    path: PathBuf,
    text: String,
}

impl NodeSettings {
    /// Reads a configuration file. Whether the environment's part is sound is found out when it is opened.
    ///
    /// # Errors
    /// [`SettingsError`] names the file, and the line where there is one.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(Origin { path: path.to_owned(), text })
    }

    fn parse(origin: Origin) -> Result<Self, SettingsError> {
        let file: NodeFile = toml::from_str(&origin.text).map_err(|error| origin.refuse(&error))?;
        let client_addresses = file
            .members
            .iter()
            .filter_map(|member| Some((member.name.clone(), member.client.clone()?)))
            .collect();
        Ok(Self {
            environment: origin.environment(&file)?,
            client: origin.address("client", &file.client)?,
            client_addresses,
            read_timeout: Duration::from_millis(file.timeouts.read_timeout_ms),
            calls_max: origin.calls_max(file.limits.calls_max.as_ref())?,
            requests_bytes_max: origin.requests_bytes_max(&file)?,
            log: file.log,
            origin,
        })
    }

    /// What the environment found wrong, with the file and the line.
    #[must_use]
    pub fn unsound(&self, source: ConfigError) -> SettingsError {
        let text = source.to_string();
        let field = text.split(':').next().unwrap_or_default();
        SettingsError::Unsound { path: self.origin.path.clone(), line: self.origin.line_of(field), source }
    }
}

impl Origin {
    fn environment(&self, file: &NodeFile) -> Result<RepConfig, SettingsError> {
        let node = file.node.as_ref();
        let own = file.members.iter().find(|member| member.name == *node).ok_or_else(|| {
            SettingsError::NotAMember {
                path: self.path.clone(),
                line: self.line_at(file.node.span().start),
                node: node.clone(),
                members: file.members.iter().map(|member| member.name.clone()).collect(),
            }
        })?;
        let host = own.address.rsplit_once(':').map_or(own.address.as_str(), |(host, _)| host);
        let mut config = RepConfig::builder(&file.group, node, host)
            .data_dir(&file.data_dir)
            .engine(file.engine.into())
            .insecure_no_auth(file.insecure_no_auth)
            .quorum(file.quorum.as_ref().map_or(QuorumRule::SimpleMajority, Quorum::rule))
            .build();
        config.listen.clone_from(&file.listen);
        config.members = file.members.iter().map(file::DeclaredMember::member).collect();
        if let Some(durability) = &file.durability {
            config.durability = durability.as_ref().parse().map_err(|source| SettingsError::Durability {
                path: self.path.clone(),
                line: self.line_at(durability.span().start),
                source,
            })?;
        }
        config.forward_writes = file.writes.forward.unwrap_or(config.forward_writes);
        file.timeouts.set(&mut config);
        file.limits.set(&mut config);
        Ok(config)
    }

    fn address(&self, field: &'static str, found: &Spanned<String>) -> Result<String, SettingsError> {
        let address = found.as_ref();
        let is_complete = address
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if is_complete {
            return Ok(address.clone());
        }
        let line = self.line_at(found.span().start);
        Err(SettingsError::Address { path: self.path.clone(), line, field, address: address.clone() })
    }

    fn calls_max(&self, found: Option<&Spanned<u32>>) -> Result<u32, SettingsError> {
        match found.map(|calls| (*calls.as_ref(), calls.span().start)) {
            None => Ok(NodeSettings::CALLS_MAX_DEFAULT),
            Some((0, start)) => {
                Err(SettingsError::NoCalls { path: self.path.clone(), line: self.line_at(start) })
            }
            Some((calls, _)) => Ok(calls),
        }
    }

    /// The budget must hold the largest request, or that could never be made.
    fn requests_bytes_max(&self, file: &NodeFile) -> Result<usize, SettingsError> {
        let Some(found) = &file.limits.requests_bytes_max else {
            return Ok(NodeSettings::REQUESTS_BYTES_MAX_DEFAULT);
        };
        Ok(*found.as_ref())
    }

    fn refuse(&self, error: &toml::de::Error) -> SettingsError {
        let line = error.span().map(|span| self.line_at(span.start));
        SettingsError::Malformed { path: self.path.clone(), line, detail: error.to_string() }
    }

    /// The line, from 1, that holds the byte at `offset`.
    fn line_at(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    /// The first line, from 1, that sets `field` (or `field_ms`), as a key or as a table.
    fn line_of(&self, field: &str) -> Option<usize> {
        let sets = |line: &str| {
            let word = line.trim_start().trim_start_matches('[');
            word.strip_prefix(field)
                .map(|rest| rest.strip_prefix("_ms").unwrap_or(rest))
                .is_some_and(|rest| rest.starts_with([' ', '=', ']', '\t']))
        };
        self.text.lines().position(sets).map(|index| index + 1)
    }
}

impl NodeSettings {
    /// The calls under way at a time on one client's connection, if the file does not say.
    pub const CALLS_MAX_DEFAULT: u32 = 256;
    /// The bytes of all requests under way, if the file does not say.
    pub const REQUESTS_BYTES_MAX_DEFAULT: usize = 64 << 20;
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate::{EngineKind, NodeType};

    const SMALL: &str = "group = \"g\"\nnode = \"a\"\nclient = \"127.0.0.1:0\"\ndata_dir = \"/d\"\n\n\
        [[members]]\n\
                         name = \"a\"\naddress = \"[::1]:7\"\n";

    fn parse(text: &str) -> Result<NodeSettings, SettingsError> {
        NodeSettings::parse(Origin { path: "node.toml".into(), text: text.to_owned() })
    }

    fn refusal(text: &str) -> String {
        parse(text).expect_err("the settings are wrong").to_string()
    }

    #[test]
    fn a_file_that_says_the_least_takes_the_environments_defaults() {
        let settings = parse(SMALL).unwrap();
        let config = settings.environment;
        let defaults = RepConfig::builder("g", "a", "[::1]").data_dir("/d").build();
        assert_eq!(config.members.len(), 1);
        assert_eq!(RepConfig { members: Vec::new(), ..config }, defaults);
    }

    #[test]
    fn the_example_shown_in_the_help_is_a_sound_file() {
        let settings = parse(include_str!("config/example.toml")).unwrap();
        assert_eq!(settings.environment.members.len(), 3);
        assert_eq!(settings.client_addresses["node3"], "127.0.0.1:14103");
    }

    #[test]
    fn the_values_that_the_example_gives_as_defaults_are_the_defaults() {
        let example = include_str!("config/example.toml");
        let uncommented: String =
            example.lines().map(|line| line.strip_prefix("# ").unwrap_or(line).to_owned() + "\n").collect();
        let text = uncommented
            .replace("The rest may", "#")
            .replace("listen = \"0.0.0.0:14001\"", "")
            .replace("[quorum]", "")
            .replace("election = 2", "")
            .replace("write = 2", "");
        let (short, long) = (parse(example).unwrap(), parse(&text).unwrap());
        assert_eq!(short.environment, long.environment);
        assert_eq!((short.read_timeout, short.calls_max), (long.read_timeout, long.calls_max));
        assert_eq!(long.log.as_deref(), Some("info"));
    }

    #[test]
    fn every_setting_reaches_the_environment() {
        let text = format!(
            "listen = \"127.0.0.1:9\"\nengine = \"redb\"\ndurability = \"no-sync,no-sync,none\"\n\
            log = \"debug\"\n\
             insecure_no_auth = true\n{SMALL}type = \"secondary\"\npriority = 3\n[quorum]\n\
             election = 4\nwrite = 2\n\
             [timeouts]\nheartbeat_interval_ms = 1\nelection_timeout_ms = 2\nack_timeout_ms = 3\n\
             read_timeout_ms = 4\n\
             [limits]\nvalue_bytes_max = 5\nwindow_bytes_max = 6\nsegment_bytes = 7\n\
             engine_cache_bytes = 8\ncalls_max = 9"
        );
        let settings = parse(&text).unwrap();
        let config = &settings.environment;
        assert_eq!((config.listen.as_deref(), config.engine), (Some("127.0.0.1:9"), EngineKind::Redb));
        assert_eq!(config.durability.to_string(), "no-sync,no-sync,none");
        assert!(config.insecure_no_auth);
        assert_eq!((config.members[0].node_type, config.members[0].priority), (NodeType::Secondary, 3));
        assert_eq!(config.quorum, QuorumRule::Flexible { election: 4, write: 2 });
        let times = [config.heartbeat_interval, config.election_timeout, config.ack_timeout];
        assert_eq!(times.map(|time| time.as_millis()), [1, 2, 3]);
        assert_eq!((config.value_bytes_max, config.window_bytes_max), (5, 6));
        assert_eq!((config.segment_bytes, config.engine_cache_bytes), (7, 8));
        assert_eq!((settings.read_timeout.as_millis(), settings.calls_max), (4, 9));
        assert_eq!(settings.log.as_deref(), Some("debug"));
    }

    #[test]
    fn an_unknown_or_mistyped_field_is_named_with_its_line() {
        let text = refusal(&SMALL.replace("client =", "clientt ="));
        assert!(text.contains("node.toml") && text.contains("line 3") && text.contains("clientt"), "{text}");
        let text = refusal(&format!("{SMALL}priority = \"high\""));
        assert!(text.contains("line 9") && text.contains("priority"), "{text}");
    }

    #[test]
    fn a_node_that_is_no_member_is_told_who_is() {
        let text = refusal(&SMALL.replace("node = \"a\"", "node = \"b\""));
        assert!(text.starts_with("node.toml:2: node: \"b\"") && text.contains("(a)"), "{text}");
    }

    #[test]
    fn an_address_without_a_port_and_a_durability_of_no_form_are_named_with_their_lines() {
        let text = refusal(&SMALL.replace("127.0.0.1:0", "localhost"));
        assert!(text.starts_with("node.toml:3: client: "), "{text}");
        let text = refusal(&format!("durability = \"sync\"\n{SMALL}"));
        assert!(text.starts_with("node.toml:1: durability: "), "{text}");
        let text = refusal(&format!("{SMALL}[limits]\ncalls_max = 0"));
        assert!(text.starts_with("node.toml:10: calls_max: "), "{text}");
    }

    #[test]
    fn what_the_environment_finds_wrong_gets_the_line_that_sets_it() {
        let settings = parse(&format!("{SMALL}[timeouts]\nack_timeout_ms = 0")).unwrap();
        let error = settings.unsound(ConfigError::ZeroTime { field: "ack_timeout" });
        assert!(error.to_string().starts_with("node.toml:10: ack_timeout: "), "{error}");
        let error = settings.unsound(ConfigError::ZeroTime { field: "handshake_timeout" });
        assert!(error.to_string().starts_with("node.toml: handshake_timeout: "), "{error}");
    }
}
