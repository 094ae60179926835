use super::setting::{Kind, SETTINGS, Setting};
use super::settings_error::SettingsError;
use clap::error::Error;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use toml::{Table, Value};

/// Settings that the command line or environment variables give. The command line prevails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenSettings(Vec<Given>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    /// The setting's place in the file.
    name: &'static str,
    /// The flag or variable that gives it.
    place: String,
    text: String,
}

impl GivenSettings {
    /// The flag or variable that gives a setting, if one does. `field` is its name, without its table.
    pub(super) fn place_of(&self, field: &str) -> Option<&str> {
        let found = self.0.iter().find(|given| {
            let name = given.name.rsplit('.').next().unwrap_or(given.name);
            name == field
                || given.name.split('.').next() == Some(field)
                || name.strip_suffix("_ms") == Some(field)
        });
        found.map(|given| given.place.as_str())
    }

    /// Lays what is given over what the file says. `check` says what is wrong with a table that holds one
    /// setting alone.
    pub(super) fn lay_over(
        &self,
        table: &mut Table,
        check: impl Fn(&Table) -> Result<(), String>,
    ) -> Result<(), SettingsError> {
        for given in &self.0 {
            let refused = |detail| SettingsError::Given { place: given.place.clone(), detail };
            let value = given.value().map_err(refused)?;
            let mut alone = Table::new();
            insert(&mut alone, given.name, value.clone());
            check(&alone).map_err(|detail| SettingsError::Given { place: given.place.clone(), detail })?;
            insert(table, given.name, value);
        }
        Ok(())
    }
}

impl Given {
    fn value(&self) -> Result<Value, String> {
        let text = self.text.as_str();
        let refused = |form| format!("{text:?} is not {form}");
        match SETTINGS.iter().find(|setting| setting.name == self.name).map(|setting| setting.kind) {
            Some(Kind::Number) => text.parse().map(Value::Integer).map_err(|_| refused("a whole number")),
            Some(Kind::Decimal) => text.parse().map(Value::Float).map_err(|_| refused("a number")),
            Some(Kind::Switch) => text.parse().map(Value::Boolean).map_err(|_| refused("true or false")),
            Some(Kind::Members) => members(text).map(Value::Array),
            Some(Kind::Text) | None => Ok(Value::String(text.to_owned())),
        }
    }
}

/// Members as the command line gives them.
fn members(text: &str) -> Result<Vec<Value>, String> {
    text.split(',').map(member).collect()
}

fn member(text: &str) -> Result<Value, String> {
    let mut parts = text.trim().split(';');
    let refused =
        || format!("{text:?} is no member: write NAME=HOST:PORT, then ;client=, ;type= or ;priority=");
    let (name, address) = parts.next().and_then(|part| part.split_once('=')).ok_or_else(refused)?;
    let mut table = Table::new();
    table.insert("name".to_owned(), name.into());
    table.insert("address".to_owned(), address.into());
    for part in parts {
        let (field, value) = part.split_once('=').ok_or_else(refused)?;
        let value = match field {
            "priority" => Value::Integer(value.parse().map_err(|_| refused())?),
            "client" | "type" => value.into(),
            _ => return Err(refused()),
        };
        table.insert(field.to_owned(), value);
    }
    Ok(Value::Table(table))
}

/// Puts a value at its place, in a table or at the top.
fn insert(table: &mut Table, name: &str, value: Value) {
    match name.split_once('.') {
        None => drop(table.insert(name.to_owned(), value)),
        Some((part, field)) => {
            let part = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(part) = part {
                part.insert(field.to_owned(), value);
            }
        }
    }
}

fn argument(setting: &'static Setting) -> Arg {
    let argument = Arg::new(setting.name)
        .long(setting.flag())
        .env(setting.variable())
        .value_name(setting.form())
        .help(setting.doc)
        .help_heading("Settings, each over what the file says");
    match setting.kind {
        Kind::Switch => argument.num_args(0..=1).require_equals(true).default_missing_value("true"),
        _ => argument,
    }
}

impl Args for GivenSettings {
    fn augment_args(command: Command) -> Command {
        SETTINGS.iter().fold(command, |command, setting| command.arg(argument(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for GivenSettings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |setting: &Setting| {
            let text = matches.get_one::<String>(setting.name)?.clone();
            let place = match matches.value_source(setting.name) {
                Some(ValueSource::EnvVariable) => setting.variable().to_string_lossy().into_owned(),
                _ => format!("--{}", setting.flag()),
            };
            Some(Given { name: setting.name, place, text })
        };
        Ok(Self(SETTINGS.iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
