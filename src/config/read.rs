//! Reading settings: the file, then variables. What cannot be read is told and left at its default,
//! so that the rest can be shown and checked all the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::bail;
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Value};

use super::{Config, FILE, FILE_VARIABLE, PREFIX, SETTINGS, Setting, TEST_PREFIX};

/// Names like a setting's to this degree (0 to 1) are taken for slips of the pen.
const SLIP: f64 = 0.7;

static CHOSEN: OnceLock<PathBuf> = OnceLock::new();

/// Has the settings read from this file (`--config`), whatever the variable says.
pub fn choose_file(path: PathBuf) {
    // Chosen once, before anything is read.
    let _ = CHOSEN.set(path);
}

/// Settings as far as they could be read.
#[derive(Debug, Default)]
pub struct Reading {
    pub config: Config,
    /// What could not be, each by its name.
    pub problems: Vec<String>,
}

impl Config {
    /// Reads the settings file (the one chosen by `--config` or named by `XIANGXUN_CONFIG`, else
    /// `xiangxun.toml` if there is one) and the environment.
    ///
    /// # Errors
    /// Names each setting that is unknown, cannot be read, or makes no sense.
    pub fn load() -> anyhow::Result<Self> {
        let Reading { config, mut problems } = Reading::of_this_process();
        problems.extend(config.problems());
        if !problems.is_empty() {
            bail!("the settings are not right:\n  {}", problems.join("\n  "));
        }
        Ok(config)
    }
}

impl Reading {
    /// From the file and the environment that this process was given.
    pub fn of_this_process() -> Self {
        let named = CHOSEN.get().cloned().map(|path| (path, "--config"));
        let named = named.or_else(|| Some((std::env::var_os(FILE_VARIABLE)?.into(), FILE_VARIABLE)));
        let Some((path, by)) = named else {
            return Self::of(Path::new(FILE), std::env::vars());
        };
        let mut reading = Self::of(&path, std::env::vars());
        if !path.exists() {
            reading.problems.insert(0, format!("there is no settings file {} ({by})", path.display()));
        }
        reading
    }

    /// From a file, where it exists, and variables.
    pub fn of(file: &Path, variables: impl Iterator<Item = (String, String)>) -> Self {
        let mut problems = Vec::new();
        let mut values = Dict::new();
        let written = table(file).unwrap_or_else(|problem| {
            problems.push(problem);
            Dict::new()
        });
        for (key, value) in written {
            match take_written(&key, value) {
                Ok((name, value)) => drop(values.insert(name.into(), value)),
                Err(problem) => problems.push(format!("{}: {problem}", file.display())),
            }
        }
        let ours = |name: &String| {
            name.starts_with(PREFIX) && !name.starts_with(TEST_PREFIX) && name != FILE_VARIABLE
        };
        // In order, so that they are told in order.
        let variables: BTreeMap<_, _> = variables.filter(|(name, _)| ours(name)).collect();
        for (variable, text) in variables {
            match take_variable(&variable, &text) {
                Ok((name, value)) => drop(values.insert(name.into(), value)),
                Err(problem) => problems.push(problem),
            }
        }
        let read = Figment::from(Serialized::defaults(Config::default()))
            .merge(Serialized::defaults(values))
            .extract();
        let config = read.unwrap_or_else(|error| {
            problems.push(format!("the settings cannot be put together: {error}"));
            Config::default()
        });
        Self { config, problems }
    }
}

/// The keys and values of a settings file; none where there is no file.
fn table(file: &Path) -> Result<Dict, String> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Dict::new()),
        Err(error) => return Err(format!("{} cannot be read: {error}", file.display())),
    };
    Figment::from(Toml::string(&text)).extract().map_err(|error| {
        // Not the lines that the parser quotes: there may be a password in them.
        let words: Vec<String> =
            error.to_string().lines().filter(|line| !line.contains('|')).map(str::to_owned).collect();
        format!("{} is not TOML, so none of it is read: {}", file.display(), words.join(": "))
    })
}

fn take_written(key: &str, value: Value) -> Result<(&'static str, Value), String> {
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == key) else {
        return Err(format!("unknown setting `{key}`; {}", nearest(key, |setting| setting.name.into())));
    };
    if (setting.fits)(&value) {
        return Ok((setting.name, value));
    }
    if let Some(trouble) = (setting.trouble)(&value) {
        return Err(format!("`{key}` must be {}: {trouble}", setting.wanted));
    }
    Err(format!("`{key}` must be {}, and is {}", setting.wanted, described(&value)))
}

fn take_variable(variable: &str, text: &str) -> Result<(&'static str, Value), String> {
    let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == variable) else {
        return Err(format!("unknown variable `{variable}`; {}", nearest(variable, Setting::variable)));
    };
    match (setting.read)(text) {
        Some(value) => Ok((setting.name, value)),
        // There may be passwords in a list of servers.
        None if setting.name == "mail_servers" => Err(format!("{variable} must be {}", setting.wanted)),
        None => Err(format!("{variable} must be {}, and is `{text}`", setting.wanted)),
    }
}

/// A value as the file has it, in few words.
fn described(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("the text {text:?}"),
        Value::Char(_, c) => format!("the text \"{c}\""),
        Value::Bool(_, truth) => truth.to_string(),
        Value::Num(_, number) => match (number.to_i128(), number.to_u128(), number.to_f64()) {
            (Some(number), _, _) => number.to_string(),
            (_, Some(number), _) => number.to_string(),
            (_, _, Some(number)) => number.to_string(),
            _ => "a number".into(),
        },
        Value::Empty(..) => "nothing".into(),
        Value::Dict(..) => "a table".into(),
        Value::Array(..) => "a list".into(),
    }
}

/// Which setting was probably meant; at least which is the least unlike.
fn nearest(unknown: &str, name: impl Fn(&Setting) -> String) -> String {
    let plain = |name: &str| name.to_lowercase().replace('-', "_").replace("xiangxun_", "");
    let likeness = |known: &str| strsim::jaro_winkler(&plain(unknown), &plain(known));
    let known = SETTINGS.iter().map(name).map(|known| (likeness(&known), known));
    match known.max_by(|left, right| left.0.total_cmp(&right.0)) {
        Some((likeness, known)) if likeness > SLIP => format!("did you mean `{known}`?"),
        Some((_, known)) => format!("the nearest is `{known}`; `xiangxun config docs` lists all"),
        None => String::new(),
    }
}
