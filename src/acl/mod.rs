//! ACLs and conditions.
