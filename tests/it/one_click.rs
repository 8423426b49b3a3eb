//! Leaving by one click (RFC 8058), as mailbox providers do it: at once, and for what is queued too.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use xiangxun::db::entities::delivery::DeliveryState;
use xiangxun::db::entities::subscription::SubscriptionState;
use xiangxun::delivery::sender;
use xiangxun::subscriptions::{self, Change};

use crate::on_both_databases;
use crate::support::mail_host::{MailHost, behind_slow_server};
use crate::support::node::Instance;
use crate::support::{Backend, TestApp};

on_both_databases! {
    a_provider_unsubscribes_its_reader_and_nothing_queued_goes_out
    nothing_goes_out_that_waited_for_a_slow_server
}

/// What Gmail does when its reader presses "unsubscribe": the signature must hold and cover both headers;
/// then one POST without cookies, whose redirects are not followed.
const PROVIDER: &str = r#"
import base64, email, email.policy, json, re, sys, time, urllib.request
import dkim
asked = json.load(sys.stdin)
message = base64.b64decode(asked["message"])
records = {name.encode() + b".": text.encode() for name, text in asked["records"].items()}
look_up = lambda name, timeout=5: records.get(name)
mail = email.message_from_bytes(message, policy=email.policy.default)
signatures = mail.get_all("DKIM-Signature", [])
signed = [dkim.DKIM(message).verify(idx=number, dnsfunc=look_up) for number in range(len(signatures))]
covered = []
for signature in signatures:
    names = re.search(r"\bh=([^;]*)", str(signature)).group(1).lower()
    names = [name.strip() for name in re.sub(r"\s", "", names).split(":")]
    covered.append("list-unsubscribe" in names and "list-unsubscribe-post" in names)
urls = re.findall(r"<([^>]*)>", str(mail["List-Unsubscribe"]))
url = next(url for url in urls if url.startswith("http"))
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments): return None
opener = urllib.request.build_opener(Stay)
began = time.monotonic()
body = str(mail["List-Unsubscribe-Post"]).encode()
request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
with opener.open(request, timeout=5) as answer:
    status, cookies = answer.status, answer.headers.get_all("Set-Cookie", [])
print(json.dumps({"signed": signed, "covered": covered, "post": body.decode(), "status": status,
    "cookies": cookies, "seconds": time.monotonic() - began}))
"#;

fn act_as_provider(message: &[u8], records: &Value) -> Value {
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", PROVIDER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Debian's python3");
    let asked = json!({ "message": STANDARD.encode(message), "records": records });
    python.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "python3-dkim and python3-nacl are there (tests/run installs them)");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn a_provider_unsubscribes_its_reader_and_nothing_queued_goes_out(backend: Backend) {
    let instance = Instance::new(Backend::Sqlite).await;
    let keys = instance.data.join("keys");
    let printed =
        instance.run(&["mail", "keygen", "--domain", "xiangxun.test", "--folder", keys.to_str().unwrap()]);
    let records: serde_json::Map<String, Value> = printed
        .lines()
        .filter_map(|line| line.split_once(". IN TXT ").filter(|(name, _)| name.contains("._domainkey.")))
        .map(|(name, text)| (name.to_owned(), text.split('"').skip(1).step_by(2).collect::<String>().into()))
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let host = MailHost::start(|_| None).await;
    let url = host.url();
    let app = TestApp::start_with(backend, move |config| {
        config.base_url = base_url;
        config.smtp_url = url;
        config.mail_from = "乡讯 <news@xiangxun.test>".into();
        config.dkim_keys = keys;
    })
    .await;
    let serving = app.serve(listener, CancellationToken::new());
    let (account, _) = app.account("daily").await;
    let reader = app.subscriber(account.id, "reader@gmail.com").await;
    let first = app.published(account.id, "第一篇").await;
    app.push(account.id, &[&first]).await;
    app.work().await;
    let message = host.taken().remove(0).bytes;
    // The next one waits in the queue when the reader presses the button.
    let second = app.published(account.id, "第二篇").await;
    let push = app.push(account.id, &[&second]).await;
    xiangxun::jobs::worker::run_due(&app.app).await.unwrap();
    assert_eq!(app.deliveries(push).await[0].state, DeliveryState::Waiting);
    let done = xiangxun::blocking::run(move || act_as_provider(&message, &records.into())).await.unwrap();
    assert_eq!(done["signed"], json!([true, true]), "{done}");
    assert_eq!(done["covered"], json!([true, true]), "{done}");
    assert_eq!(done["post"], "List-Unsubscribe=One-Click");
    assert_eq!(done["status"], 200, "no redirect is followed");
    assert!(done["seconds"].as_f64().unwrap() < 1.0, "{done}");
    assert_eq!(app.subscription(reader.id).await.state, SubscriptionState::Ended);
    app.work().await;
    let row = app.deliveries(push).await.remove(0);
    assert_eq!((row.state, row.answer.as_deref()), (DeliveryState::Suppressed, Some("the reader has left")));
    assert_eq!(host.taken().len(), 1);
    serving.abort();
    app.finish().await;
}

async fn nothing_goes_out_that_waited_for_a_slow_server(backend: Backend) {
    let (host, app) = behind_slow_server(backend, || std::thread::sleep(Duration::from_millis(30))).await;
    let (account, _) = app.account("daily").await;
    let mut readers = Vec::new();
    for number in 0..100 {
        readers.push(app.subscriber(account.id, &format!("r{number}@example.org")).await);
    }
    let article = app.published(account.id, "慢").await;
    let push = app.push(account.id, &[&article]).await;
    xiangxun::jobs::worker::run_due(&app.app).await.unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(sender::run(app.app.clone(), stop.clone()));
    while host.taken().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // All are claimed and ready to be handed over; half of the readers leave.
    let began = Instant::now();
    for reader in readers.iter().skip(50) {
        subscriptions::change(&app.app, reader.id, Change::Leave).await.unwrap();
    }
    let left = Instant::now();
    while app.push_state(push).await != xiangxun::db::entities::push::PushState::Sent {
        assert!(began.elapsed() < Duration::from_secs(60), "it is sent at last");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    task.await.unwrap();
    let late = host.taken().into_iter().filter(|one| {
        let number: usize = one.to[1..].split('@').next().unwrap().parse().unwrap();
        number >= 50 && one.at > left + Duration::from_secs(1)
    });
    assert_eq!(late.map(|one| one.to).collect::<Vec<_>>(), Vec::<String>::new());
    let rows = app.deliveries(push).await;
    assert!(rows[..50].iter().all(|row| row.state == DeliveryState::Delivered));
    // Their rows come in no order; some may have gone out before their readers left.
    let spared = rows[50..].iter().filter(|row| row.state == DeliveryState::Suppressed).count();
    assert!(spared >= 10, "{spared}");
    app.finish().await;
}
