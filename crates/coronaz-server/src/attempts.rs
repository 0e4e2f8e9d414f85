//! Wrong tokens: logged, and slowed down once there are many of them.
//!
//! The token is compared before anything else is decided, so the right one is never refused, whatever others send.
//! When several wrong ones came within a short time, every attempt first waits, the right one too: a client that
//! guesses gets as many guesses as it holds connections in that time, and one that hangs up before is not answered.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::HeaderMap;

use crate::{config::Limits, seldom::Seldom, server::Peer};

/// More than a line a second about wrong tokens helps nobody.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// The attempts to sign in, of all clients together: behind a proxy they have one address.
#[derive(Debug)]
pub(crate) struct Attempts {
    free: u32,
    forgotten_after: Duration,
    wait: Duration,
    /// When the failures so far are forgotten; in the past: there are none.
    forgotten_at: Mutex<Option<Instant>>,
    log: Seldom,
}

impl Attempts {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            free: limits.sign_in_failures_free,
            forgotten_after: limits.sign_in_failure_forgotten_after,
            wait: limits.sign_in_wait,
            forgotten_at: Mutex::default(),
            log: Seldom::new(LOG_EVERY),
        }
    }

    /// Waits before a token is compared, when too many wrong ones came lately.
    pub(crate) async fn turn(&self) {
        if self.are_too_many(Instant::now()) {
            tokio::time::sleep(self.wait).await;
        }
    }

    /// Takes note of a wrong token, sent in the way that `how` names.
    pub(crate) fn failed(&self, how: &'static str, peer: Option<Peer>, headers: &HeaderMap) {
        self.count(Instant::now());
        if let Some(held_back) = self.log.pass() {
            let peer = peer.map_or_else(String::new, |Peer(address)| address.to_string());
            let client = passed_on_for(headers).map(|client| client.to_string());
            tracing::warn!(how, peer, client, held_back, "a sign-in failed: wrong token");
        }
    }

    fn are_too_many(&self, now: Instant) -> bool {
        let forgotten_at = *self.forgotten_at.lock().unwrap_or_else(PoisonError::into_inner);
        forgotten_at.is_some_and(|at| at.saturating_duration_since(now) >= self.forgotten_after * self.free)
    }

    /// One failure more. No more are remembered than make attempts wait, so that a flood is soon forgotten.
    fn count(&self, now: Instant) {
        let mut forgotten_at = self.forgotten_at.lock().unwrap_or_else(PoisonError::into_inner);
        let most = now + self.forgotten_after * (self.free + 1);
        let next = forgotten_at.map_or(now, |at| at.max(now)) + self.forgotten_after;
        *forgotten_at = Some(next.min(most));
    }
}

/// For whom a proxy says that it passes the request on. Anybody can send this header: it is for the log alone.
fn passed_on_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_some_wrong_tokens_attempts_wait_until_the_flood_is_over() {
        let (attempts, start) = (Attempts::new(&Limits::default()), Instant::now());
        for _ in 0..10 {
            assert!(!attempts.are_too_many(start));
            attempts.count(start);
        }
        assert!(attempts.are_too_many(start));
        for _ in 0..100_000 {
            attempts.count(start);
        }
        assert!(attempts.are_too_many(start + Duration::from_secs(1)));
        assert!(!attempts.are_too_many(start + Duration::from_secs(2)), "a flood is forgotten when it ends");
    }

    #[test]
    fn a_client_with_an_old_token_that_asks_each_second_makes_nobody_wait() {
        let (attempts, start) = (Attempts::new(&Limits::default()), Instant::now());
        for second in 0..1000 {
            let now = start + Duration::from_secs(second);
            assert!(!attempts.are_too_many(now));
            attempts.count(now);
        }
    }

    #[test]
    fn the_log_names_the_client_that_a_proxy_names_and_nothing_else_that_it_says() {
        let headers = |text: &str| {
            HeaderMap::from_iter([(
                "x-forwarded-for".parse().expect("a name"),
                text.parse().expect("a value"),
            )])
        };
        assert_eq!(passed_on_for(&headers("10.1.2.3, 192.0.2.7")), "192.0.2.7".parse().ok());
        assert_eq!(passed_on_for(&headers("evil\" client=root")), None);
        assert_eq!(passed_on_for(&HeaderMap::new()), None);
    }
}
