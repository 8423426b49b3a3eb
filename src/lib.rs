
pub mod look;
