//! `xiangxun mail check`: what a sending domain says of itself, asked of a name server of the test's own.

use std::net::IpAddr;
use std::process::Output;

use xiangxun::mail::dns::Dns;
use xiangxun::mail::spf::{self, Verdict};

use crate::support::Backend;
use crate::support::name_server::NameServer;
use crate::support::node::Instance;

/// Runs the command; what it printed, and whether all is well.
async fn check(instance: &Instance, names: &NameServer, more: &[&str]) -> (String, bool) {
    let address = names.address.to_string();
    let mut arguments = vec!["mail", "check", "news.example", "--nameserver", &address];
    arguments.extend(more);
    let mut command = instance.command(&arguments);
    // The name server lives on this thread's runtime.
    let Output { stdout, stderr, status } =
        xiangxun::blocking::run(move || command.output().unwrap()).await.unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (printed, status.success())
}

async fn instance() -> (Instance, Vec<(String, String)>) {
    let mut instance = Instance::new(Backend::Sqlite).await;
    let keys = instance.data.join("keys");
    let folder = keys.to_str().unwrap().to_owned();
    let printed = instance.run(&["mail", "keygen", "--domain", "news.example", "--folder", &folder]);
    let records = printed.lines().filter_map(|line| line.split_once("._domainkey.news.example. IN TXT "));
    let records = records.map(|(selector, text)| {
        (
            format!("{selector}._domainkey.news.example"),
            text.split('"').skip(1).step_by(2).collect::<String>(),
        )
    });
    let records = records.collect();
    instance.set("XIANGXUN_DKIM_KEYS", &folder);
    instance.set("XIANGXUN_MAIL_FROM", "news@news.example");
    instance.set("XIANGXUN_SMTP_URL", "smtp://mail.news.example");
    instance.set("XIANGXUN_BOUNCE_DOMAIN", "bounces.news.example");
    (instance, records)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_record_is_proposed_that_forbids_all_mail() {
    let (instance, _) = instance().await;
    let names = NameServer::start().await;
    let (printed, is_well) = check(&instance, &names, &[]).await;
    assert!(!is_well && printed.contains("IN TXT \"v=spf1 ip4:YOUR-SERVERS-ADDRESS -all\""), "{printed}");
    assert!(!printed.contains("\"v=spf1 -all\""), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_that_says_nothing_is_told_what_to_add() {
    let (instance, _) = instance().await;
    let names = NameServer::start().await;
    names.host("mail.news.example", "5.9.1.7");
    let (printed, is_well) = check(&instance, &names, &[]).await;
    assert!(!is_well && printed.contains("things are wrong with news.example"), "{printed}");
    for words in [
        "add: bounces.news.example. IN TXT \"v=spf1 ip4:5.9.1.7 -all\"",
        "add: xiangxun-rsa._domainkey.news.example. IN TXT \"v=DKIM1; k=rsa; p=MIIB",
        "add: xiangxun-ed25519._domainkey.news.example. IN TXT \"v=DKIM1; k=ed25519; p=",
        "add: _dmarc.news.example. IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@news.example\"",
        "wrong  PTR     5.9.1.7 has no name",
        "add: bounces.news.example. IN MX 10 YOUR-MAIL-HOST.",
    ] {
        assert!(printed.contains(words), "{words}\n{printed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_that_says_everything_right_is_well() {
    let (instance, records) = instance().await;
    let names = NameServer::start().await;
    names.host("mail.news.example", "5.9.1.7").host("mail.news.example", "2a01:4f8::7");
    names.txt("bounces.news.example", "v=spf1 include:spf.news.example -all");
    names.txt("spf.news.example", "v=spf1 ip4:5.9.1.0/24 ip6:2a01:4f8::/32 ~all");
    names.txt("news.example", "some-other-service=123");
    names.txt("_dmarc.news.example", "v=DMARC1; p=quarantine; rua=mailto:d@news.example");
    for (name, text) in &records {
        names.txt(name, text);
    }
    names.ptr("7.1.9.5.in-addr.arpa", "mail.news.example");
    let v6 = "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.f.4.0.1.0.a.2.ip6.arpa";
    names.ptr(v6, "mail.news.example");
    names.mx("news.example", 10, "mail.news.example").mx("bounces.news.example", 10, "mail.news.example");
    let (printed, is_well) = check(&instance, &names, &[]).await;
    assert!(is_well && !printed.contains("wrong"), "{printed}");
    for words in [
        "good   SPF     bounces.news.example lets 5.9.1.7 send",
        "is mail.news.example, and back",
        "has our key",
    ] {
        assert!(printed.contains(words), "{words}\n{printed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_of_each() {
    let (instance, records) = instance().await;
    let names = NameServer::start().await;
    names.txt("bounces.news.example", "v=spf1 ip4:192.0.2.1 -all");
    names.txt("_dmarc.news.example", "v=DMARC1; p=none").txt("_dmarc.news.example", "v=DMARC1; p=reject");
    names.txt(&records[0].0, "v=DKIM1; k=rsa; p=QUJD").fail(&records[1].0);
    names.ptr("9.1.9.5.in-addr.arpa", "host9.provider.example").host("host9.provider.example", "5.9.1.10");
    names.mx("news.example", 0, "").mx("bounces.news.example", 10, "gone.news.example");
    let (printed, is_well) = check(&instance, &names, &["--ip", "5.9.1.9"]).await;
    assert!(!is_well);
    for words in [
        "does not let 5.9.1.9 send",
        "add: bounces.news.example. IN TXT \"v=spf1 ip4:5.9.1.9 ip4:192.0.2.1 -all\"",
        "has another key than ours",
        "there are several records, so none is heeded",
        "5.9.1.9 is host9.provider.example, which does not lead back to it",
        "news.example takes no mail, so answers are lost",
        "gone.news.example has no address",
    ] {
        assert!(printed.contains(words), "{words}\n{printed}");
    }
    let (printed, is_well) = check(&instance, &names, &["--nameserver", "nonsense"]).await;
    assert!(!is_well && !printed.contains("good"), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spf_is_evaluated_as_receivers_do() {
    let names = NameServer::start().await;
    let dns = Dns::of(&names.address.to_string()).unwrap();
    names.txt("plain.example", "v=spf1 a mx -all").host("plain.example", "5.9.1.1");
    names.mx("plain.example", 10, "mx.plain.example").host("mx.plain.example", "5.9.1.2");
    names.txt("soft.example", "v=spf1 a:plain.example/30 ~all");
    names.txt("redirected.example", "v=spf1 exp=why.example redirect=plain.example");
    names.txt("question.example", "v=spf1 ?ip4:5.9.1.1 +ip6:2a01::/16");
    names.txt("loop.example", "v=spf1 include:loop.example -all");
    names.txt("lost.example", "v=spf1 include:nowhere.example -all");
    names.txt("two.example", "v=spf1 -all").txt("two.example", "v=spf1 +all");
    names.txt("typo.example", "v=spf1 ipv4:5.9.1.1 -all").txt("none.example", "v=spf10 -all");
    names.fail("broken.example").txt("through.example", "v=spf1 include:broken.example -all");
    let ask = async |domain: &str, address: &str| {
        let address: IpAddr = address.parse().unwrap();
        match spf::check(&dns, domain, address).await {
            Verdict::Pass => "pass",
            Verdict::Fail(_) => "fail",
            Verdict::SoftFail(_) => "soft fail",
            Verdict::Neutral => "neutral",
            Verdict::None => "none",
            Verdict::Broken(_) => "broken",
            Verdict::Unknown(_) => "unknown",
        }
    };
    for (domain, address, verdict) in [
        ("plain.example", "5.9.1.1", "pass"),
        ("plain.example", "5.9.1.2", "pass"),
        ("plain.example", "5.9.1.3", "fail"),
        ("soft.example", "5.9.1.3", "pass"),
        ("soft.example", "5.9.1.4", "soft fail"),
        ("redirected.example", "5.9.1.2", "pass"),
        ("redirected.example", "5.9.1.9", "fail"),
        ("question.example", "5.9.1.1", "neutral"),
        ("question.example", "2a01:4f8::1", "pass"),
        ("question.example", "5.9.1.2", "neutral"),
        ("loop.example", "5.9.1.1", "broken"),
        ("lost.example", "5.9.1.1", "broken"),
        ("two.example", "5.9.1.1", "broken"),
        ("typo.example", "5.9.1.1", "broken"),
        ("none.example", "5.9.1.1", "none"),
        ("nowhere.example", "5.9.1.1", "none"),
        ("through.example", "5.9.1.1", "unknown"),
    ] {
        assert_eq!(ask(domain, address).await, verdict, "{domain} {address}");
    }
}
