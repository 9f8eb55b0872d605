//! Process tests: the built program against real programs, one module a theme.
