//! A token bucket: how many requests a second the server is asked.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Lets `burst` requests through at once and `rate` a second after them.
#[derive(Debug)]
pub(super) struct Limiter {
    rate: f64,
    burst: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests that may go now; below zero for those that already wait.
    tokens: f64,
    /// When `tokens` was right.
    at: Instant,
}

impl Limiter {
    /// A rate of zero or less means no limit.
    pub(super) fn new(rate: f64) -> Self {
        let burst = (rate * 4.0).max(1.0);
        Self { rate, burst, state: Mutex::new(State { tokens: burst, at: Instant::now() }) }
    }

    /// Waits until one more request may go.
    pub(super) async fn turn(&self) {
        let wait = self.reserve(Instant::now());
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }

    /// Takes a token, in advance if need be; returns the time until it is valid.
    fn reserve(&self, now: Instant) -> Duration {
        if self.rate <= 0.0 {
            return Duration::ZERO;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_duration_since(state.at).as_secs_f64() * self.rate;
        state.tokens = (state.tokens + gained).min(self.burst) - 1.0;
        state.at = now;
        if state.tokens >= 0.0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(-state.tokens / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::Limiter;
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_in_its_turn() {
        let limiter = Limiter::new(10.0);
        let now = Instant::now();
        let waits: Vec<Duration> = (0..43).map(|_| limiter.reserve(now)).collect();
        assert!(waits[..40].iter().all(Duration::is_zero));
        assert_eq!(waits[42].as_millis(), 300);
        assert!(limiter.reserve(now + Duration::from_secs(60)).is_zero());
    }

    #[test]
    fn no_rate_is_no_limit() {
        let limiter = Limiter::new(0.0);
        assert!((0..1000).all(|_| limiter.reserve(Instant::now()).is_zero()));
    }
}
