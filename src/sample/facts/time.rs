//! The times that expressions see: the moment on the wall, how long an exchange took so far, how long it may take.

/// A moment of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Wall {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub secs: i64,
    /// Microseconds of the second.
    pub micros: u32,
}

impl Wall {
    /// The moment in microseconds since the epoch.
    #[must_use]
    pub fn as_micros(self) -> i64 {
        self.secs
            .saturating_mul(1_000_000)
            .saturating_add(i64::from(self.micros))
    }

    /// The moment in milliseconds since the epoch.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.as_micros().div_euclid(1000)
    }
}

/// The times of an exchange, worked out when they are asked for.
pub trait Clocks: std::fmt::Debug {
    /// Its durations so far.
    fn timers(&self) -> Timers;

    /// The timeouts in force.
    fn timeouts(&self) -> Timeouts;
}

/// No exchange to time.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoClocks;

impl Clocks for NoClocks {
    fn timers(&self) -> Timers {
        Timers::default()
    }

    fn timeouts(&self) -> Timeouts {
        Timeouts::default()
    }
}

/// Durations, milliseconds; `None` until the phase is over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timers {
    /// Waiting for the first byte of the request (`%Ti`).
    pub idle: Option<u32>,
    /// Receiving the request's head (`%TR`).
    pub request: Option<u32>,
    /// Idle and receiving together (`%Tq`).
    pub tq: Option<u32>,
    /// In queues (`%Tw`).
    pub queue: Option<u32>,
    /// Connecting (`%Tc`).
    pub connect: Option<u32>,
    /// Waiting for the response's head (`%Tr`).
    pub response: Option<u32>,
    /// Sending the body (`%Td`).
    pub data: Option<u32>,
    /// From accepting to the end (`%Tt`).
    pub total: Option<u32>,
    /// From the request's first byte to the end (`%Ta`).
    pub active: Option<u32>,
    /// From accepting to the end without the time in which the client was idle (`%Tu`).
    pub user: Option<u32>,
}

/// The timeouts in force for one exchange, milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timeouts {
    /// The client's.
    pub client: Option<u32>,
    /// The server's.
    pub server: Option<u32>,
    /// The tunnel's.
    pub tunnel: Option<u32>,
    /// Connecting.
    pub connect: Option<u32>,
    /// Queueing.
    pub queue: Option<u32>,
    /// The tar pit's.
    pub tarpit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_in_smaller_units() {
        let wall = Wall {
            secs: 2,
            micros: 345_678,
        };
        assert_eq!(wall.as_micros(), 2_345_678);
        assert_eq!(wall.as_millis(), 2_345);
    }
}
