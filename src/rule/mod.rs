//! Rules: actions under conditions.
