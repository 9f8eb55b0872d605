//! The engine: joins a front lane to a back lane.
