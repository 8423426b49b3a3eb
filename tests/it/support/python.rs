//! Other people's code, in Python, to check what ours has made. tests/run installs its packages.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs a program that reads JSON and prints JSON.
pub fn ask_python(program: &str, asked: &Value) -> Value {
    let python = interpreter();
    let mut child = Command::new(&python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error} (tests/run installs it)", python.display()));
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "Python refused it, or its packages are missing (tests/run installs them)"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The one with packages that Debian does not have.
fn interpreter() -> PathBuf {
    if let Some(named) = std::env::var_os("XIANGXUN_TEST_PYTHON") {
        return named.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    cache.unwrap_or_else(home).join("xiangxun/python/bin/python")
}
