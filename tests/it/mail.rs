//! Mail as others read it: signatures checked by dkimpy, headers and texts by Python's own library.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use xiangxun::db::entities::delivery::DeliveryState;

use crate::support::mail_host::MailHost;
use crate::support::node::Instance;
use crate::support::{Backend, TestApp};

/// Checks each signature of a message with the records given, and reads the message.
const READER: &str = r#"
import base64, email, email.policy, json, sys
import dkim
asked = json.load(sys.stdin)
message = base64.b64decode(asked["message"])
records = {name.encode() + b".": text.encode() for name, text in asked["records"].items()}
look_up = lambda name, timeout=5: records.get(name)
count = message.lower().count(b"\ndkim-signature:") + message.lower().startswith(b"dkim-signature:")
signed = [dkim.DKIM(message).verify(idx=number, dnsfunc=look_up) for number in range(count)]
changed = message.replace(b"Subject: ", b"Subject: x", 1)
forged = [dkim.DKIM(changed).verify(idx=number, dnsfunc=look_up) for number in range(count)]
mail = email.message_from_bytes(message, policy=email.policy.default)
print(json.dumps({
    "signed": signed, "forged": forged,
    "algorithms": sorted(str(value).split("a=")[1].split(";")[0] for value in mail.get_all("DKIM-Signature", [])),
    "headers": {name: str(value) for name, value in mail.items()},
    "defects": [str(defect) for part in mail.walk() for defect in part.defects],
    "text": mail.get_body(("plain",)).get_content(), "html": mail.get_body(("html",)).get_content(),
    "from_name": mail["From"].addresses[0].display_name,
}))
"#;

/// What Python makes of a message; Debian's python3-dkim and python3-nacl are needed.
fn read_by_python(message: &[u8], records: &Value) -> Value {
    use base64::Engine;
    let message = base64::engine::general_purpose::STANDARD.encode(message);
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Debian's python3");
    let asked = json!({ "message": message, "records": records });
    python.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "python3-dkim and python3-nacl are there (tests/run installs them)");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Names and texts of the records that keygen prints.
fn records(printed: &str) -> Value {
    let lines = printed.lines().filter(|line| line.contains("._domainkey."));
    lines
        .map(|line| {
            let (name, text) = line.split_once(". IN TXT ").unwrap();
            let text: String = text.split('"').skip(1).step_by(2).collect();
            (name.to_owned(), json!(text))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The message as a mail reader shows it that finds it in a maildir.
fn shown_from_maildir(folder: &Path, message: &[u8]) -> String {
    for part in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    std::fs::write(folder.join("new/1.host"), message).unwrap();
    let run = |program: &str, argument: &Path| {
        let output = Command::new(program).arg(argument).env("LC_ALL", "C.UTF-8").output();
        let output = output.expect("Debian's mblaze (tests/run installs it)");
        String::from_utf8(output.stdout).unwrap()
    };
    let taken_in = run("minc", folder);
    run("mshow", Path::new(taken_in.trim()))
}

/// What SpamAssassin says of a message, without asking the network; its report is printed.
fn spam_score(message: &[u8]) -> f32 {
    let mut program = Command::new("spamassassin")
        .args(["--local", "--test-mode"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Debian's spamassassin (tests/run installs it)");
    program.stdin.take().unwrap().write_all(message).unwrap();
    let output = program.wait_with_output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    let details = report.split("Content analysis details:").nth(1).expect("a report");
    println!("SpamAssassin: {details}");
    let (_, score) = details.split_once('(').expect("points");
    score.split_whitespace().next().and_then(|points| points.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_find_both_signatures_right_and_read_what_was_written() {
    let instance = Instance::new(Backend::Sqlite).await;
    let keys = instance.data.join("keys");
    let keygen = ["mail", "keygen", "--domain", "xiangxun.test", "--folder", keys.to_str().unwrap()];
    let records = records(&instance.run(&keygen));
    assert_eq!(records.as_object().unwrap().len(), 2, "{records}");
    let again = instance.run(&keygen);
    assert!(
        again.contains(records["xiangxun-rsa._domainkey.xiangxun.test"].as_str().unwrap().split_at(200).0)
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(keys.join("xiangxun-rsa.pem")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600, "nobody else may read a key");

    let host = MailHost::start(|_| None).await;
    let url = host.url();
    let folder = keys.clone();
    let app = TestApp::start_with(Backend::Sqlite, move |config| {
        config.smtp_url = url;
        config.mail_from = "乡讯 <news@xiangxun.test>".into();
        config.mail_unsubscribe = "leave@xiangxun.test".into();
        config.dkim_keys = folder;
    })
    .await;
    let (account, _) = app.account("daily").await;
    app.subscriber(account.id, "reader@xn--fsqu00a.xn--fiqs8s").await;
    let title = "海外华人过春节：一个很长很长的标题，长到要折行才写得下；还有 English、«引号» 与 😀 夹在里面";
    let article = app.published(account.id, title).await;
    let push = app.push(account.id, &[&article]).await;
    app.work().await;
    let rows = app.deliveries(push).await;
    assert_eq!(rows[0].state, DeliveryState::Delivered, "{rows:?}");
    let taken = host.taken().remove(0);
    assert_eq!(taken.to, "reader@xn--fsqu00a.xn--fiqs8s");
    assert!(taken.bytes.is_ascii() && taken.bytes.split(|b| *b == b'\n').all(|line| line.len() <= 998));
    let shown = shown_from_maildir(&instance.data.join("Maildir"), &taken.bytes);
    for part in [&format!("Subject: {title}"), &format!("From: {} <", account.name), "2: text/plain", title] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let score = spam_score(&taken.bytes);
    assert!(score < 1.0, "far below the 5 points that make spam: {score}");
    let read = read_by_python(&taken.bytes, &records);
    assert_eq!(read["signed"], json!([true, true]), "{read}");
    assert_eq!(read["forged"], json!([false, false]));
    assert_eq!(read["algorithms"], json!(["ed25519-sha256", "rsa-sha256"]));
    assert_eq!(read["defects"], json!([]));
    assert_eq!(read["from_name"], account.name.as_str());
    let header = |name: &str| read["headers"][name].as_str().unwrap_or("").to_owned();
    assert_eq!(header("Subject"), title);
    assert_eq!(header("Message-ID"), rows[0].message_id);
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert!(
        header("List-Unsubscribe").contains("mailto:leave@xiangxun.test"),
        "{}",
        header("List-Unsubscribe")
    );
    assert_eq!(header("Feedback-ID"), format!("{push}:daily:push:xiangxun.test"));
    assert!(header("List-Id").contains("<daily.xiangxun.test>"));
    assert!(!header("Date").is_empty());
    let signed = header("DKIM-Signature").to_lowercase();
    for name in ["list-unsubscribe", "list-unsubscribe-post", "message-id", "from"] {
        assert!(signed.contains(name), "RFC 8058 wants {name} signed: {signed}");
    }
    assert!(
        read["text"].as_str().unwrap().contains(title) && read["html"].as_str().unwrap().contains("春节")
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_of_its_own_is_signed_too() {
    let instance = Instance::new(Backend::Sqlite).await;
    let keys = instance.data.join("keys");
    let printed =
        instance.run(&["mail", "keygen", "--domain", "xiangxun.test", "--folder", keys.to_str().unwrap()]);
    let host = MailHost::start(|_| None).await;
    let config = xiangxun::config::Config {
        smtp_url: host.url(),
        mail_from: "News <news@xiangxun.test>".into(),
        dkim_keys: keys,
        ..Default::default()
    };
    let letter = xiangxun::mail::Letter {
        to: "reader@example.org".into(),
        subject: "登录".into(),
        text: "你好\n.一个点\n".into(),
        html: "<p>你好</p>".into(),
        ..Default::default()
    };
    let mailer = xiangxun::mail::Mailer::from_config(&config).unwrap();
    mailer.send_by(&letter, &xiangxun::mail::Route::by(0)).await.unwrap();
    let read = read_by_python(&host.taken()[0].bytes, &records(&printed));
    assert_eq!(read["signed"], json!([true, true]), "{read}");
    assert_eq!(read["text"].as_str().unwrap().replace('\r', "").trim_end(), letter.text.trim_end());
    assert!(read["headers"]["Message-ID"].as_str().unwrap().ends_with("@xiangxun.test>"));
}

/// A push to a mailbox whose name is Chinese, by a server with these extensions.
async fn push_to_chinese_name(extensions: &'static str) -> (MailHost, TestApp, i64) {
    let host = MailHost::start_with(extensions, |_| None).await;
    let url = host.url();
    let app = TestApp::start_with(Backend::Sqlite, move |config| {
        config.smtp_url = url;
        config.mail_from = "乡讯 <news@xiangxun.test>".into();
    })
    .await;
    let (account, _) = app.account("daily").await;
    let address = xiangxun::auth::Address::parse("读者@例子.中国").unwrap();
    app.subscriber(account.id, address.as_str()).await;
    let article = app.published(account.id, "给中文邮箱").await;
    let push = app.push(account.id, &[&article]).await;
    app.work().await;
    (host, app, push)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_with_a_chinese_name_is_written_to_where_the_server_can() {
    let (host, app, push) = push_to_chinese_name("250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n").await;
    let row = app.deliveries(push).await.remove(0);
    assert_eq!(row.state, DeliveryState::Delivered, "{row:?}");
    let letter = xiangxun::mail::Letter {
        to: "读者@xn--fsqu00a.xn--fiqs8s".into(),
        subject: "登录".into(),
        text: "你好\n".into(),
        html: "<p>你好</p>".into(),
        ..Default::default()
    };
    xiangxun::delivery::letter::send(&app.app, &letter).await.unwrap();
    let taken = host.taken();
    assert_eq!(taken.len(), 2);
    for one in taken {
        assert_eq!(one.to, "读者@xn--fsqu00a.xn--fiqs8s");
        let read = read_by_python(&one.bytes, &json!({}));
        assert_eq!(read["defects"], json!([]), "{read}");
        assert!(read["headers"]["To"].as_str().unwrap().contains("读者@"), "{read}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_with_a_chinese_name_is_not_garbled_where_the_server_cannot() {
    let (host, app, push) = push_to_chinese_name("250-PIPELINING\r\n250-8BITMIME\r\n").await;
    let row = app.deliveries(push).await.remove(0);
    assert_eq!(row.state, DeliveryState::Failed);
    assert!(row.answer.unwrap().contains("SMTPUTF8"));
    assert_eq!(host.taken().len(), 0);
    app.finish().await;
}

#[test]
fn keys_that_cannot_be_read_stop_the_start() {
    let folder = std::env::temp_dir().join(format!("xiangxun-keys-{:016x}", rand::random::<u64>()));
    std::fs::create_dir_all(&folder).unwrap();
    let config =
        xiangxun::config::Config { dkim_keys: folder.clone(), data: folder.clone(), ..Default::default() };
    let refusal = |config| format!("{:#}", xiangxun::mail::Mailer::from_config(config).unwrap_err());
    assert!(refusal(&config).contains("holds no keys"), "{}", refusal(&config));
    std::fs::write(folder.join("x.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        .unwrap();
    assert!(refusal(&config).contains("x.pem"), "{}", refusal(&config));
    std::fs::remove_dir_all(folder).unwrap();
}
