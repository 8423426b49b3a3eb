//! Words and letter pairs trap each other; here is who should win.

use serde_json::Value;
use xiangxun::search::follower;

use crate::both_databases;
use crate::search::publish;
use crate::support::TestApp;

/// A query, an article that answers it, and one that only seems to.
const TRAPS: &[(&str, &str, &str)] = &[
    ("市长", "新任市长昨日宣誓就职。", "南京市长江大桥通车五十年。"),
    ("市長", "市長訪問了養老院。", "武汉市长江隧道开通。"),
    ("国产", "国产芯片开始量产。", "全国产业工人代表大会开幕。"),
    ("央行", "央行宣布下调存款准备金率。", "中央行政机关公布编制。"),
    ("大会", "代表大会今日闭幕。", "他说明年一定要把规模扩大会同各方投资。"),
    ("人参", "长白山人参进入采挖季。", "有三千人参加了这次长跑。"),
    ("和服", "她穿着和服参加茶会。", "公司提供技术和服务支持。"),
    ("研究生", "研究生报名人数创新高。", "科学家正在研究生命起源。"),
    ("学会", "他终于学会了游泳。", "两国科学会议推迟举行。"),
    ("国会", "国会通过了新的预算案。", "中国会继续推进改革开放。"),
    ("日本", "日本列岛迎来樱花季。", "今日本台记者从现场发回报道。"),
    ("海上", "海上搜救持续进行。", "上海上周公布了人口数据。"),
    ("美国会", "美国会众议院投票。", "美国会议中心举行车展。"),
    ("中华", "中华文化源远流长。", "集中华东各省的力量。"),
    ("民主", "民主选举有序进行。", "农民主要种植水稻。"),
    ("机场", "机场恢复正常起降。", "司机场外等候乘客。"),
    ("地铁", "地铁十号线今天开通。", "当地铁矿资源丰富。"),
    ("天地", "天地之间一片雪白。", "昨天地震造成停电。"),
    ("地方", "地方政府出台补贴。", "各地方才公布了消息。"),
    ("发展", "经济发展稳中向好。", "新闻发布会介绍了展开搜救的情况。"),
    ("头发", "她把頭髮剪短了。", "这块石头发出绿光。"),
    ("面条", "手工面条很受欢迎。", "双方在桌面条约文本上签字。"),
    ("工会", "工会组织了慰问活动。", "开工会上介绍了施工方案。"),
    ("水利", "水利工程全面复工。", "自来水利润下降两成。"),
    ("电影", "电影票房突破十亿。", "停电影响了数万居民。"),
    ("学生", "学生返校复课。", "医学生物样本库建成。"),
    ("产生", "选举产生了新一届领导。", "房地产生意越来越难做。"),
    ("法国", "法国总统抵达北京。", "依法国有资产不得流失。"),
    ("德国", "德国车企宣布建厂。", "以德国家才能长治久安，他说。"),
    ("公安", "公安机关破获一起案件。", "办公安排将于周一公布。"),
    ("动员", "全市动员抗击台风。", "运动员入场仪式精彩。"),
    ("平和", "他语气平和地回答。", "为了世界和平和人类进步。"),
    ("主义", "人道主义援助抵达。", "业主义务清扫街道。"),
    ("从事", "她从事护理工作三十年。", "侍从事先得到了通知。"),
    ("基金", "基金规模再创新高。", "新地基金属含量超标。"),
    ("高山", "高山滑雪比赛开幕。", "最高山东队得分九十。"),
    ("经济", "经济复苏势头明显。", "已经济南站发车。"),
    ("工人", "工人日夜赶工。", "人工人员成本上涨。"),
    ("外国", "外国游客明显增加。", "海外国际学校招生。"),
    ("长城", "长城脚下举行音乐会。", "成长城乡差距缩小。"),
    ("内地", "内地旅客恢复通关。", "一年内地价上涨一成。"),
    ("网上", "网上挂号更加方便。", "官网上海频道今日上线。"),
];

/// Runs that only seem to be there: a quoted phrase never crosses from title to body, and what has
/// all the pairs need not have the run.
const PHRASES: &[(&str, &str, bool)] = &[
    ("\"长江大桥\"", "南京市长江大桥通车五十年。", true),
    ("\"市长江\"", "南京市长江大桥通车五十年。", true),
    ("\"江大\"", "武汉市长江隧道开通。", false),
    ("\"上海海上\"", "上海上周公布了人口数据，海上搜救。", false),
    ("\"5G手机\"", "5G 手機銷量上升。", true),
    ("\"C++\"", "用 C++ 写成的程序。", true),
    ("\"新冠-19\"", "新冠 19 的变异株。", true),
    ("\"AI\"", "生成式AI走进课堂。", true),
    ("\"鬱\"", "郁金香開了。", true),
];

both_databases! {
    async fn a_word_is_found_as_a_word_before_it_is_found_inside_others(app) {
        let (account, _) = app.account("daily").await;
        let mut ids = Vec::new();
        for (_, answer, trap) in TRAPS {
            let trap = publish(app, account.id, "记事", trap).await.id;
            ids.push((publish(app, account.id, "记事", answer).await.id, trap));
        }
        follower::catch_up(&app.app).await.unwrap();
        let mut wrong = Vec::new();
        for ((query, ..), (answer, trap)) in TRAPS.iter().zip(ids) {
            let found = found(app, query).await;
            let place = |id| found.iter().position(|found| *found == id);
            if place(answer).is_none() || place(trap).is_some_and(|trap| place(answer) > Some(trap)) {
                wrong.push(query);
            }
        }
        assert_eq!(wrong, Vec::<&&str>::new());
    }

    async fn a_quoted_run_is_found_where_it_stands_and_nowhere_else(app) {
        let (account, _) = app.account("daily").await;
        let mut ids = Vec::new();
        for (_, text, _) in PHRASES {
            ids.push(publish(app, account.id, "记事", text).await.id);
        }
        let across = publish(app, account.id, "两会在北京", "大学开课了。").await.id;
        follower::catch_up(&app.app).await.unwrap();
        for ((query, text, holds), id) in PHRASES.iter().zip(ids) {
            assert_eq!(found(app, query).await.contains(&id), *holds, "{query} in {text}");
        }
        assert!(!found(app, "\"北京大学\"").await.contains(&across));
        assert!(found(app, "\"两会在北京\"").await.contains(&across));
    }
}

/// Ids of what is found, best first.
async fn found(app: &TestApp, query: &str) -> Vec<i64> {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let answer: Value = app.get(&format!("/api/v1/search?limit=100&q={query}")).await.json();
    answer["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}
