//! Signing in and out: the form, the way on, and what is a session worth.

use std::time::{Duration, Instant};

use coronaz_server::{Config, Limits};

use crate::{
    http::{self, Answer},
    stage::Stage,
};

const TOKEN: &str = "a-token-for-tests-alone";
const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

fn with_token() -> Config {
    Config { token: Some(TOKEN.parse().expect("a token")), ..Config::default() }
}

async fn sign_in(stage: &Stage, headers: &[(&str, &str)], body: &str) -> Answer {
    http::form(stage.address, "/login", headers, body).await
}

/// Whether a browser with this cookie is the operator's.
async fn is_signed_in(stage: &Stage, cookie: &str) -> bool {
    stage.get_with("/api/v1/session", &[("cookie", cookie)]).await.json()["operator"] == true
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_is_a_page_of_its_own_that_says_where_it_is_sent_from() {
    let stage = Stage::open_with(with_token()).await;
    let form = stage.get_with("/login?next=/%3Frun%3Dx%26moment%3D3", &[HTML]).await;
    assert_eq!((form.status, form.header("referrer-policy")), (200, "same-origin"));
    let policy = form.header("content-security-policy");
    assert!(policy.contains("form-action 'self'") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !form.text().contains("<script>"), "{policy}");
    for part in [
        "<main>",
        "<label for=\"token\">",
        "name=\"next\" value=\"/?run=x&amp;moment=3\"",
        "action=\"login\"",
    ] {
        assert!(form.text().contains(part), "{part}: {}", form.text());
    }
    let script = stage.get("/sign-in.js").await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    // Nobody can sign in where there is no token, and the page says so.
    let closed = Stage::open().await.get_with("/login", &[HTML]).await;
    assert!(closed.status == 403 && closed.text().contains("--token-file"), "{}", closed.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_hides_its_origin_signs_in_and_a_page_of_another_site_does_not() {
    let stage = Stage::open_with(with_token()).await;
    let (own, body) = (format!("http://{}", stage.address), format!("token={TOKEN}"));
    for headers in
        [vec![("origin", own.as_str())], vec![("origin", "null"), ("sec-fetch-site", "same-origin")], vec![]]
    {
        assert_eq!(sign_in(&stage, &headers, &body).await.status, 303, "{headers:?}");
    }
    for headers in [
        vec![("origin", "null")],
        vec![("origin", "null"), ("sec-fetch-site", "cross-site")],
        vec![("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")],
    ] {
        sign_in(&stage, &headers, &body).await.problem(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_shows_the_form_again_with_the_link_kept() {
    let stage = Stage::open_with(with_token()).await;
    let again = sign_in(&stage, &[HTML], "token=wrong&next=%2F%3Frun%3Dx").await;
    assert_eq!((again.status, again.header("set-cookie")), (401, ""));
    for part in
        ["role=\"alert\"", "This is not the token.", "aria-invalid=\"true\"", "value=\"/?run=x\"", "<form"]
    {
        assert!(again.text().contains(part), "{part}: {}", again.text());
    }
    assert_eq!(again.header("referrer-policy"), "same-origin");
    assert_eq!(sign_in(&stage, &[], "token=wrong").await.problem(401), "this is not the token");
    sign_in(&stage, &[], "word=wrong").await.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_to_the_link_that_was_asked_for_and_to_no_other_server() {
    let stage = Stage::open_with(with_token()).await;
    for (next, place) in [
        ("%2F%3Frun%3Dx%26moment%3D3", "./?run=x&moment=3"),
        ("%2Fapi%2Fv1%2Fruns", "./api/v1/runs"),
        ("%2F", "./"),
        ("%2F%2Fevil.example", "./"),
        ("%2F%5Cevil.example", "./"),
        ("http%3A%2F%2Fevil.example%2F", "./"),
        ("javascript%3Aalert(1)", "./"),
        ("%2F%0D%0Aset-cookie%3A%20a=b", "./"),
        ("%2Flogin%3Fnext%3D%2Flogin", "./"),
    ] {
        let signed_in = sign_in(&stage, &[], &format!("token={TOKEN}&next={next}")).await;
        assert_eq!((signed_in.status, signed_in.header("location")), (303, place), "{next}");
    }
    // Who is signed in already is led on at once.
    let cookie = sign_in(&stage, &[], &format!("token={TOKEN}")).await.cookie();
    let on = stage.get_with("/login?next=/%3Frun%3Dx", &[("cookie", &cookie)]).await;
    assert_eq!((on.status, on.header("location")), (303, "./?run=x"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_no_token_differs_each_time_and_is_worth_nothing_after_signing_out() {
    let stage = Stage::open_with(with_token()).await;
    let first = sign_in(&stage, &[], &format!("token={TOKEN}")).await;
    let attributes = first.header("set-cookie");
    assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"), "{attributes}");
    assert!(!attributes.contains(TOKEN) && !attributes.contains("Path="), "{attributes}");
    let (one, other) = (first.cookie(), sign_in(&stage, &[], &format!("token={TOKEN}")).await.cookie());
    assert_ne!(one, other);
    assert!(is_signed_in(&stage, &one).await && is_signed_in(&stage, &other).await);
    let own = format!("http://{}", stage.address);
    let leave = [("cookie", one.as_str()), ("origin", own.as_str())];
    let left = http::send(stage.address, "DELETE", "/api/v1/session", &leave, "").await;
    assert!(left.status == 204 && left.header("set-cookie").contains("Max-Age=0"));
    assert!(!is_signed_in(&stage, &one).await, "a copy of the cookie still opens the laboratory");
    stage.get_with("/api/v1/parts", &[("cookie", &one)]).await.problem(401);
    assert!(is_signed_in(&stage, &other).await, "the other browser stays signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_outlive_the_server_where_they_are_kept_and_sign_outs_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = || Config { session_file: Some(folder.path().join("sessions")), ..with_token() };
    let stage = Stage::open_with(kept()).await;
    let cookie = async || sign_in(&stage, &[], &format!("token={TOKEN}")).await.cookie();
    let (stays, leaves) = (cookie().await, cookie().await);
    let own = format!("http://{}", stage.address);
    let leave = [("cookie", leaves.as_str()), ("origin", own.as_str())];
    http::send(stage.address, "DELETE", "/api/v1/session", &leave, "").await;
    stage.stop().await;
    let again = Stage::open_with(kept()).await;
    assert!(is_signed_in(&again, &stays).await && !is_signed_in(&again, &leaves).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_signs_in() {
    let stage = Stage::open_with(with_token()).await;
    let by_address = stage.get(&format!("/login?token={TOKEN}")).await;
    by_address.problem(400);
    assert_eq!(by_address.header("set-cookie"), "");
    let in_address = http::form(stage.address, &format!("/login?token={TOKEN}"), &[], "").await;
    in_address.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_wrong_tokens_are_slowed_down_and_the_right_one_is_never_refused() {
    const WAIT: Duration = Duration::from_millis(400);
    let limits = Limits { sign_in_failures_free: 3, sign_in_wait: WAIT, ..Limits::default() };
    let stage = Stage::open_with(Config { limits, ..with_token() }).await;
    for _ in 0..4 {
        sign_in(&stage, &[], "token=wrong").await.problem(401);
    }
    let guesses = async |n: usize| {
        let began = Instant::now();
        for _ in 0..n {
            sign_in(&stage, &[], "token=wrong").await.problem(401);
        }
        began.elapsed()
    };
    assert!(guesses(3).await >= WAIT * 3, "a client guesses as fast as it can");
    let began = Instant::now();
    stage.get_with("/api/v1/parts", &[("authorization", "Bearer wrong")]).await.problem(401);
    assert!(began.elapsed() >= WAIT, "a bearer is a guess too");
    // Many at once, with the operator among them.
    let crowd: Vec<_> =
        (0..50).map(|_| tokio::spawn(http::form_owned(stage.address, "token=wrong".to_owned()))).collect();
    let right = sign_in(&stage, &[], &format!("token={TOKEN}")).await;
    assert_eq!(right.status, 303, "the operator is locked out");
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(stage.get_with("/api/v1/parts", &[("authorization", &bearer)]).await.status, 200);
    // Reading, and who is signed in, wait for nobody.
    let cookie = right.cookie();
    assert!(is_signed_in(&stage, &cookie).await);
    for guess in crowd {
        assert_eq!(guess.await.expect("an answer").status, 401);
    }
}
