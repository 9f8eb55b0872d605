//! Ticks, deadlines, the timer wheel, sliding rates and calendar dates.
