//! Process tests: the built program against real programs, one module a theme.

mod program;
mod static_binary;
mod tidy;
