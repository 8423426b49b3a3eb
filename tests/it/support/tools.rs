//! Other people's tools out of npm's registry; tests/run installs them.

use std::path::PathBuf;

/// A file of a package.
pub fn file(path: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let file = cache.unwrap_or_else(home).join("xiangxun/npm/node_modules").join(path);
    assert!(file.exists(), "{} is missing (tests/run installs it)", file.display());
    file
}
