//! The stats socket's commands.
