//! Portico: one MCP endpoint in front of many MCP servers. This crate reads flags and files, and
//! connects the crates that do the work.

mod arguments;
mod check;
mod connect;
mod controller;
mod demo;
mod expand;
mod failure;
mod in_force;
mod memory;
mod open_files;
mod output;
mod ports;
mod report;
mod run;
mod running;
mod session_keys;
mod signals;
mod source;
mod stdio;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(arguments) => run::run(arguments),
        Command::Stdio(arguments) => stdio::stdio(arguments),
        Command::Controller(arguments) => controller::controller(arguments),
        Command::Check(inputs) => check::check(&inputs),
        Command::Expand(inputs) => expand::expand(&inputs),
        Command::Schema => expand::schema(),
        Command::Crds => expand::crds(),
        Command::Policies => expand::policies(),
    };
    result.unwrap_or_else(|failure| {
        eprintln!("portico: {failure:#}");
        failure::exit_code(&failure)
    })
}
