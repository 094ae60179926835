mod file;
mod given;
mod reference;
mod setting;
mod settings_error;

pub use given::GivenSettings;
pub use reference::configuration_reference;
pub use settings_error::SettingsError;

use crate::client::ReadConsistency;
use file::{DeclaredMember, NodeFile};
use quorate::{ConfigError, ConsistencyPolicy, Member, NodeId, QuorumPolicy, RepConfig};
use serde::Deserialize;
use setting::SETTINGS;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Table;

/// How one node of the program is set up: what its configuration file, the environment variables and the
/// command line say, each over the one before.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// The environment.
    pub environment: RepConfig,
    /// Where clients call: `host:port`, `ip:port` or `[ipv6]:port`.
    pub client: String,
    /// Where the members' clients reach them, by name, as far as it is declared.
    pub client_addresses: HashMap<String, String>,
    /// Where the node's metrics are fetched, if anywhere.
    pub metrics: Option<String>,
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

/// Where settings come from, to say where something is wrong.
#[derive(Clone, Debug, Default)]
struct Origin {
    path: Option<PathBuf>,
    text: String,
    given: GivenSettings,
}

impl NodeSettings {
    /// The calls under way at a time on one client's connection, unless it is set.
    pub const CALLS_MAX_DEFAULT: u32 = 256;
    /// The bytes of all requests under way, unless they are set.
    pub const REQUESTS_BYTES_MAX_DEFAULT: usize = 32 << 20;
    /// Room in a request for everything beside its values: keys, names, and what protobuf puts around them.
    pub(crate) const REQUEST_OVERHEAD_BYTES: usize = 1 << 20;

    /// Reads a configuration file, if there is one, and what is given over it. Whether the environment's part
    /// is sound is found out when it is opened.
    ///
    /// # Errors
    /// [`SettingsError`] names the place.
    pub fn read(path: Option<&Path>, given: &GivenSettings) -> Result<Self, SettingsError> {
        let text = match path {
            Some(path) => fs::read_to_string(path)
                .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?,
            None => String::new(),
        };
        Self::parse(Origin { path: path.map(Path::to_owned), text, given: given.clone() })
    }

    fn parse(origin: Origin) -> Result<Self, SettingsError> {
        let file = origin.file()?;
        let declared = origin.required("members", file.members.as_deref())?;
        let client_addresses = declared
            .iter()
            .filter_map(|member| Some((member.name.clone(), member.client.clone()?)))
            .collect();
        let environment = origin.environment(&file, declared)?;
        Ok(Self {
            client: origin.address("client", origin.required("client", file.client.as_ref())?)?,
            metrics: file.metrics.as_ref().map(|found| origin.address("metrics", found)).transpose()?,
            client_addresses,
            read_timeout: Duration::from_millis(file.timeouts.read_timeout_ms),
            calls_max: origin.calls_max(file.limits.calls_max)?,
            requests_bytes_max: origin.requests_bytes_max(&file, &environment)?,
            environment,
            log: file.log,
            origin,
        })
    }

    /// What the environment found wrong, with its place.
    #[must_use]
    pub fn unsound(&self, source: ConfigError) -> SettingsError {
        let text = source.to_string();
        let field = text.split(':').next().unwrap_or_default();
        SettingsError::Unsound { place: self.origin.place(field), source }
    }
}

impl Origin {
    /// The file's fields with what is given over them.
    fn file(&self) -> Result<NodeFile, SettingsError> {
        let malformed = |error: toml::de::Error| {
            let place = self.file_place(error.span().map(|span| self.line_at(span.start)));
            SettingsError::Malformed { place, detail: error.to_string() }
        };
        let file: NodeFile = toml::from_str(&self.text).map_err(malformed)?;
        if self.given == GivenSettings::default() {
            return Ok(file);
        }
        let mut table: Table = toml::from_str(&self.text).map_err(malformed)?;
        let check = |table: &Table| {
            NodeFile::deserialize(table.clone())
                .map(drop)
                .map_err(|error| error.to_string().trim_end().to_owned())
        };
        self.given.lay_over(&mut table, check)?;
        NodeFile::deserialize(table).map_err(malformed)
    }

    fn required<T>(&self, name: &'static str, found: Option<T>) -> Result<T, SettingsError> {
        found.ok_or_else(|| {
            let setting = SETTINGS.iter().find(|setting| setting.name == name);
            SettingsError::Missing {
                place: self.file_place(None),
                setting: name,
                flag: setting.map(|setting| setting.flag()).unwrap_or_default(),
                variable: setting
                    .map(|setting| setting.variable().to_string_lossy().into_owned())
                    .unwrap_or_default(),
            }
        })
    }

    fn environment(&self, file: &NodeFile, declared: &[DeclaredMember]) -> Result<RepConfig, SettingsError> {
        let group = self.required("group", file.group.as_deref())?;
        let node = self.required("node", file.node.as_deref())?;
        let data_dir = self.required("data_dir", file.data_dir.as_deref())?;
        let own =
            declared.iter().find(|member| member.name == node).ok_or_else(|| SettingsError::NotAMember {
                place: self.place("node"),
                node: node.to_owned(),
                members: declared.iter().map(|member| member.name.clone()).collect(),
            })?;
        let host = own.address.rsplit_once(':').map_or(own.address.as_str(), |(host, _)| host);
        let mut config = RepConfig::builder(group, node, host)
            .data_dir(data_dir)
            .engine(file.engine.into())
            .compression(file.compression.into())
            .insecure_no_auth(file.insecure_no_auth)
            .quorum(file.quorum.rule())
            .build();
        config.listen.clone_from(&file.listen);
        config.members = declared.iter().map(DeclaredMember::member).collect();
        if let Some(durability) = &file.durability {
            config.durability = durability
                .parse()
                .map_err(|source| SettingsError::Durability { place: self.place("durability"), source })?;
        }
        if let Some(threshold) = file.phi_threshold {
            config.phi_threshold = threshold;
        }
        config.forward_writes = file.writes.forward.unwrap_or(config.forward_writes);
        file.timeouts.set(&mut config);
        file.limits.set(&mut config);
        let read_timeout = Duration::from_millis(file.timeouts.read_timeout_ms);
        config.consistency = self.consistency(file.consistency.as_deref(), read_timeout)?;
        Ok(config)
    }

    fn consistency(
        &self,
        found: Option<&str>,
        timeout: Duration,
    ) -> Result<ConsistencyPolicy, SettingsError> {
        match found.map(|text| (text, text.parse::<ReadConsistency>())) {
            None | Some((_, Ok(ReadConsistency::Any))) => Ok(ConsistencyPolicy::NoConsistencyRequired),
            Some((_, Ok(ReadConsistency::Time(lag)))) => {
                Ok(ConsistencyPolicy::TimeConsistency { lag, timeout })
            }
            Some((_, Ok(ReadConsistency::Linearizable))) => Ok(ConsistencyPolicy::Linearizable { timeout }),
            Some((text, Ok(ReadConsistency::Token(_)) | Err(_))) => {
                let consistency = text.to_owned();
                Err(SettingsError::Consistency { place: self.place("consistency"), consistency })
            }
        }
    }

    fn address(&self, field: &'static str, address: &str) -> Result<String, SettingsError> {
        let is_complete = address
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if is_complete {
            return Ok(address.to_owned());
        }
        Err(SettingsError::Address { place: self.place(field), field, address: address.to_owned() })
    }

    fn calls_max(&self, found: Option<u32>) -> Result<u32, SettingsError> {
        match found {
            Some(0) => Err(SettingsError::NoCalls { place: self.place("calls_max") }),
            found => Ok(found.unwrap_or(NodeSettings::CALLS_MAX_DEFAULT)),
        }
    }

    /// The budget must hold the largest request, or that could never be made.
    fn requests_bytes_max(&self, file: &NodeFile, config: &RepConfig) -> Result<usize, SettingsError> {
        let bytes = file.limits.requests_bytes_max.unwrap_or(NodeSettings::REQUESTS_BYTES_MAX_DEFAULT);
        let needed = config.value_bytes_max.saturating_add(NodeSettings::REQUEST_OVERHEAD_BYTES);
        if bytes >= needed || file.limits.requests_bytes_max.is_none() {
            return Ok(bytes.max(needed));
        }
        Err(SettingsError::Requests { place: self.place("requests_bytes_max"), bytes, needed })
    }

    /// Where a field is set: the flag or variable, or the file with the line.
    fn place(&self, field: &str) -> String {
        match self.given.place_of(field) {
            Some(place) => place.to_owned(),
            None => self.file_place(self.line_of(field)),
        }
    }

    fn file_place(&self, line: Option<usize>) -> String {
        match (&self.path, line) {
            (None, _) => "without a configuration file".to_owned(),
            (Some(path), None) => path.display().to_string(),
            (Some(path), Some(line)) => format!("{}:{line}", path.display()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, FromArgMatches};
    use quorate::{Compression, EngineKind, NodeType};

    const SMALL: &str = "group = \"g\"\nnode = \"a\"\nclient = \"127.0.0.1:0\"\ndata_dir = \"/d\"\n\n\
        [[members]]\n\
                         name = \"a\"\naddress = \"[::1]:7\"\n";

    fn parse(text: &str) -> Result<NodeSettings, SettingsError> {
        let given = GivenSettings::default();
        NodeSettings::parse(Origin { path: Some("node.toml".into()), text: text.to_owned(), given })
    }

    /// The example with all that it shows as a default set.
    fn uncommented() -> String {
        let example = include_str!("config/example.toml");
        let lines = example.lines().map(|line| line.strip_prefix("# ").unwrap_or(line).to_owned() + "\n");
        lines.collect::<String>().replace("The rest may", "#")
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
        let text = uncommented()
            .replace("listen = \"0.0.0.0:14001\"", "")
            .replace("metrics = \"127.0.0.1:14201\"", "")
            .replace("[quorum]", "")
            .replace("election = 2", "")
            .replace("write = 2", "")
            .replace("lease_ms = 500", "");
        let (short, long) = (parse(example).unwrap(), parse(&text).unwrap());
        assert_eq!(short.environment, long.environment);
        assert_eq!((short.read_timeout, short.calls_max), (long.read_timeout, long.calls_max));
        assert_eq!(short.requests_bytes_max, long.requests_bytes_max);
        assert_eq!(long.log.as_deref(), Some("info"));
    }

    #[test]
    fn the_example_shows_every_setting() {
        let example = include_str!("config/example.toml");
        for setting in SETTINGS {
            let field = setting.name.rsplit('.').next().unwrap();
            let shows = |line: &str| line.trim_start_matches(['#', ' ', '[']).starts_with(field);
            assert!(example.lines().any(shows), "{}", setting.name);
        }
    }

    #[test]
    fn what_the_example_gives_as_defaults_is_what_the_list_of_settings_says() {
        let example: Table = toml::from_str(&uncommented()).unwrap();
        let defaults = RepConfig::builder("g", "a", "h").build();
        for setting in SETTINGS {
            let default = (setting.default)(&defaults);
            let shown = match setting.name.split_once('.') {
                Some((part, field)) => example[part].get(field),
                None => example.get(setting.name),
            };
            let shown = shown.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            assert!(default.is_empty() || shown == Some(default), "{}: {shown:?}", setting.name);
        }
    }

    #[test]
    fn every_setting_reaches_the_environment() {
        let text = format!(
            "listen = \"127.0.0.1:9\"\nengine = \"redb\"\ndurability = \"no-sync,no-sync,none\"\nlog = \"debug\"\n\
             metrics = \"127.0.0.1:10\"\nconsistency = \"time:5ms\"\nphi_threshold = 3.5\n\
             compression = \"zstd\"\ninsecure_no_auth = true\n{SMALL}type = \"secondary\"\npriority = 3\n[quorum]\nelection = 4\nwrite = 2\n\
             [timeouts]\nheartbeat_interval_ms = 1\nelection_timeout_ms = 2\nlease_ms = 8\nack_timeout_ms = 3\n\
             read_timeout_ms = 4\nengine_flush_interval_ms = 5\nrelaxed_sync_interval_ms = 6\n\
             handshake_timeout_ms = 7\n\
             [limits]\nvalue_bytes_max = 5\nwindow_bytes_max = 6\nsegment_bytes = 7\nengine_cache_bytes = 8\n\
             calls_max = 9\nbatch_bytes_max = 10\napply_lag_bytes_max = 11\nconnections_max = 12\n\
             requests_bytes_max = 2000000"
        );
        let settings = parse(&text).unwrap();
        let config = &settings.environment;
        assert_eq!((config.listen.as_deref(), config.engine), (Some("127.0.0.1:9"), EngineKind::Redb));
        assert_eq!(config.durability.to_string(), "no-sync,no-sync,none");
        assert_eq!(config.compression, Compression::Zstd);
        assert!(config.insecure_no_auth);
        assert_eq!((config.members[0].node_type, config.members[0].priority), (NodeType::Secondary, 3));
        assert_eq!(config.quorum, QuorumPolicy::Flexible { election: 4, write: 2 });
        let times = [
            config.heartbeat_interval,
            config.election_timeout,
            config.ack_timeout,
            settings.read_timeout,
            config.engine_flush_interval,
            config.relaxed_sync_interval,
            config.handshake_timeout,
        ];
        assert_eq!(times.map(|time| time.as_millis()), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(config.lease, Some(Duration::from_millis(8)));
        let lag = ConsistencyPolicy::TimeConsistency {
            lag: Duration::from_millis(5),
            timeout: Duration::from_millis(4),
        };
        assert_eq!((config.consistency, config.phi_threshold), (lag, 3.5));
        assert_eq!((config.value_bytes_max, config.window_bytes_max), (5, 6));
        assert_eq!((config.segment_bytes, config.engine_cache_bytes, settings.calls_max), (7, 8, 9));
        let limits = (config.batch_bytes_max, config.apply_lag_bytes_max, config.connections_max);
        assert_eq!(limits, (10, 11, 12));
        assert_eq!(settings.requests_bytes_max, 2_000_000);
        assert_eq!(
            (settings.log.as_deref(), settings.metrics.as_deref()),
            (Some("debug"), Some("127.0.0.1:10"))
        );
    }

    /// What the command line gives.
    fn given(arguments: &[&str]) -> GivenSettings {
        let command = GivenSettings::augment_args(clap::Command::new("node"));
        let matches = command.try_get_matches_from([&["node"], arguments].concat()).unwrap();
        GivenSettings::from_arg_matches(&matches).unwrap()
    }

    fn parse_under(text: &str, arguments: &[&str]) -> Result<NodeSettings, SettingsError> {
        let path = Some("node.toml".into());
        NodeSettings::parse(Origin { path, text: text.to_owned(), given: given(arguments) })
    }

    #[test]
    fn the_command_line_prevails_over_the_file() {
        let flags =
            ["--ack-timeout-ms", "77", "--client", "127.0.0.1:5", "--engine=redb", "--insecure-no-auth"];
        let settings = parse_under(&format!("{SMALL}[timeouts]\nack_timeout_ms = 66"), &flags).unwrap();
        assert_eq!(settings.environment.ack_timeout.as_millis(), 77);
        assert_eq!(
            (settings.client.as_str(), settings.environment.engine),
            ("127.0.0.1:5", EngineKind::Redb)
        );
        assert!(settings.environment.insecure_no_auth);
    }

    #[test]
    fn a_node_needs_no_file() {
        let flags = [
            "--group=g",
            "--node=b",
            "--client=127.0.0.1:0",
            "--data-dir=/d",
            "--members=a=h:1,b=h:2;client=h:3;type=secondary;priority=4",
        ];
        let settings = NodeSettings::read(None, &given(&flags)).unwrap();
        let members = &settings.environment.members;
        assert_eq!((members.len(), members[1].address.as_str(), members[1].priority), (2, "h:2", 4));
        assert_eq!(members[1].node_type, NodeType::Secondary);
        assert_eq!(settings.client_addresses["b"], "h:3");
    }

    #[test]
    fn what_is_wrong_on_the_command_line_is_named_by_its_flag() {
        for (flag, words) in [
            ("--ack-timeout-ms=soon", "--ack-timeout-ms: \"soon\" is not a whole number"),
            ("--engine=oracle", "--engine: unknown variant `oracle`"),
            (
                "--compression=gzip",
                "--compression: unknown variant `gzip`, expected one of `none`, `lz4`, `zstd`",
            ),
            ("--members=a", "--members: \"a\" is no member"),
            ("--client=nowhere", "--client: client: \"nowhere\" is not an address"),
            ("--node=z", "--node: node: \"z\" is not among the members"),
            ("--requests-bytes-max=5", "--requests-bytes-max: requests_bytes_max: 5 bytes are too few"),
            ("--consistency=token:x", "--consistency: consistency: \"token:x\" is none"),
        ] {
            let error = parse_under(SMALL, &[flag]).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
        let error = NodeSettings::read(None, &given(&["--group=g"])).unwrap_err().to_string();
        assert!(error.contains("members is missing") && error.contains("QUORATE_MEMBERS"), "{error}");
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
