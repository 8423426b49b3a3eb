#!/usr/bin/env python3
"""Makes articles.jsonl.zst, the articles of `xiangxun demo`, from two freely licensed collections.

    demo/make.py NEWS.jsonl.zst QA_WIKI_DOCS.jsonl

NEWS is a collection of articles of which only the ones translated by the Linux China community
(LCTT/TranslateProject) from opensource.com are taken; QA_WIKI_DOCS holds passages of the Chinese
Wikipedia as published in DRCD (Traditional) and CMRC 2018 (Simplified). See ATTRIBUTION.md.
Which articles, in which account and under which heading is written down here; the rest is tidying:
code blocks closed up, short lines turned into headings, a line of source and licence at the end.
Needs the `zstd` program. The same input gives the same output.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlparse

HERE = Path(__file__).parent

# Columns of the Linux China articles: the first whose pattern is in the title. None: left out.
COLUMNS = [
    (None, "VPN|LikeCoin|Twitter|区块链|法律|65%|悲痛|Opensource.com 的"),
    ("kaiyuanren", "社区|开源项目|包容|远程团队|大学生|书评|英语|领导者|组织原则|成为我的工作|开放式工作|故事|开除|新手程序员|写日记|二十年"
              "|星球大战|地球|医疗|糖尿病|Linux 用户|系统管理员？|沟通|开源硬件"),
    ("chengxu", "Python|Java|JDBC|DevOps|Kubernetes|容器|Ansible|Terraform|Cassandra|Postgre|数据|编译|Git"
                "|Groovy|WebAssembly|Pony|XML|Hedy|编程|ReactJS|OpenStack|Drupal|OpenPGP|云|嵌入式|敏捷|黑天鹅"
                "|wget|HTTPS|图表|Penpot|搜索引擎|日志分析"),
    ("zhuomian", "桌面|文件管理器|编辑器|邮件|笔记|记事|PDF|照片|LibreOffice|Firefox|Emacs|Vi |日记程序|游戏|OpenTTD"
                 "|FlightGear|Calculator|二维码|Dropbox|备份|发票|RSS|Joplin|gedit|Ark|Darktable|Skanlite|GNOME"
                 "|OfflineIMAP|吃草|清单|3 条电子邮件|标签组织"),
    ("minglinghang", "."),
]

# Traditional titles as Wikipedia has them in DRCD (some in Simplified) -> the title shown.
TRADITIONAL = {
    "zoudu": ("走讀", "地理", """
        馬祖列島 關島 灣仔 新北市 多伦多=多倫多 斯特拉斯堡 奧斯陸 長崎縣 昆明 敦煌市 嘉義市 重慶 新西蘭
        阿拉巴马州=阿拉巴馬州 布里斯托尔=布里斯托 綠島鄉=綠島 杜拜 雅鲁藏布江=雅魯藏布江 高加索山脉=高加索山脈
        仙台市 茂宜岛=茂宜島 匹兹堡=匹茲堡 龜山島 恒河=恆河 鹹海 都灵=都靈 秦岭=秦嶺 曼尼托巴 阿森松岛=阿森松島
        潮州 臺東市 彰化市 九龍城 土瓜灣 冈底斯山脉=岡底斯山脈 峨眉山 天坛=天壇 长城=長城 台北101
        凡尔赛宫=凡爾賽宮 帕米爾高原 中山市 乐山市=樂山市 修水县=修水縣 都江堰市 华沙=華沙 纽伦堡=紐倫堡
        舟山市 汉江_(中国)=漢江 下萨克森州=下薩克森州 苏里南=蘇利南 英屬維京群島
        黑龍江 淮安区=淮安區 西双版纳傣族自治州=西雙版納
    """),
    "gewu": ("格物", "科學", """
        儒略日 鮭魚 温度=溫度 稻 恆星 中生代 基因工程 混凝土 電 伽利略衛星 光學 星系 太空 羅塞塔號 地熱能
        听觉=聽覺 视网膜=視網膜 咖啡因 雷暴 灭绝=滅絕 心脏=心臟 綿羊 物理化学=物理化學 鳥 物种起源=物種起源
        入侵物種 果實 木衛一 科学史=科學史 畸形龙=畸形龍 钒=釩 高血壓 水坝=水壩 全球資訊網 混合動力車輛
        科学方法=科學方法 自行車 摩托車 电视机=電視機 航天 太空游客=太空遊客 自然环境=自然環境 麵包
        铁路机车=鐵路機車 工业设计=工業設計 国际动物命名法规=國際動物命名法規 約翰·弗里德里希·威廉·赫歇爾=約翰·赫歇爾
        保罗·狄拉克=保羅·狄拉克 喬治·居維葉 早田文藏 伽利略 软件版本周期=軟體版本週期
    """),
    "wenshi": ("文史", "人文", """
        梵文 網球 李白 孟子 岳飛 王守仁 飛鳥時代 鎌倉幕府 相声=相聲 瓷器 郵票 巴洛克 現代主義 新古典主義
        古罗马文学=古羅馬文學 奧斯卡金像獎 奥斯卡最佳影片奖=奧斯卡最佳影片獎 科幻小說 托爾金 詹姆斯·史都華 梅艷芳
        五月天 普魯塔克 维特鲁威=維特魯威 佛教藝術 拉丁字母發展史 罗尔德·亚孟森=羅爾德·亞孟森 詞典 字典 吠陀
        女娲=女媧 客家語 元代 宋仁宗 日本歷史 卡佩王朝 罗马军团=羅馬軍團 泰晤士报=泰晤士報
        麻省理工學院 宾夕法尼亚大学=賓夕法尼亞大學 欧洲足球锦标赛=歐洲足球錦標賽 阿森纳足球俱乐部=阿森納足球俱樂部
        布鲁克林篮网=布魯克林籃網 1990年世界盃足球賽 巴西國家足球隊 文明
        城市规划=城市規劃 香港天文台 
    """),
}
SIMPLIFIED = ("shiyi", "拾遗", "百科", """
    尤金袋鼠 纽西兰鸡毛松 猴面包树 放线菌酮 大果西番莲 阿普伽新生儿评分 蓝线裸顶鲷 假苹婆 椭球坐标系
    芙蓉洞 五月艾 计算神经科学 温泉关 软枝黄蝉 鸟兽脚类 弗里西亚群岛 印度野驴 棱柱 锦地罗 蓍 丙烯颜料 填字游戏
    帕特纳赫峡谷 六十进制 百老汇剧院 玉山箭竹 马来穿山甲 牛车水 标准杆 天生三桥 黑龙江省博物馆 赛里木湖 拉萨河
    挪威海螯虾 翼尖小翼 龙胆 刺角瓜 乌尔巴克齿龙 天门冬 欧洲越橘 扁掌龙亚科 盾柱木 凉茶舖 广州北回归线标志塔
    黄鳍紫鱼 牡蒿 浮龙属 阿尔坎塔拉 POWER6 MonoDevelop 
""")

# Passages that say less than this, with their line of credit, look lost on a page.
SHORTEST = 640

LICENCES = {
    "lctt": ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    "drcd": ("CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/"),
    "cmrc": ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
}


def main():
    news, wiki = sys.argv[1:3]
    articles = linux_china(news) + [a for a in wikipedia(wiki) if len(a["body"]) >= SHORTEST]
    # An order that mixes the accounts but never changes; the newest first.
    articles.sort(key=lambda a: hashlib.sha256(a["external_id"].encode()).hexdigest())
    for place, article in enumerate(articles):
        # Minutes before the demo starts: one an hour at first, thinning out over five months.
        article["age_minutes"] = round(25 + 24 * place**1.6)
    lines = "".join(json.dumps(a, ensure_ascii=False) + "\n" for a in articles)
    subprocess.run(
        ["zstd", "-q", "-19", "--ultra", "-f", "-o", str(HERE / "articles.jsonl.zst")],
        input=lines.encode(), check=True,
    )
    for account in sorted({a["account"] for a in articles}):
        print(account, sum(a["account"] == account for a in articles))
    print(len(articles), "articles,", len(lines.encode()), "bytes")


# --- Linux China -----------------------------------------------------------------------------


def linux_china(path):
    text = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
    rows = [r for r in map(json.loads, text.splitlines()) if r["source"] == "lctt"]
    host = lambda row: urlparse(row["url"] or "").netloc
    # Some rows link the translation at linux.cn: known by an author of opensource.com.
    writers = {r["author"] for r in rows if host(r) == "opensource.com"}
    articles = []
    for row in rows:
        if not (host(row) == "opensource.com" or host(row) == "linux.cn" and row["author"] in writers):
            continue
        body = row["body"]
        # Texts that point at pictures lost on the way, or with much code, read badly here.
        if re.search(r"截图|下图|上图|图片|如图|图 ?\d|译注|LCTT|视频|<[a-z]+", body):
            continue
        if not 900 <= len(body) <= 6000 or body.count("```") > 6:
            continue
        account = next(name for name, pattern in COLUMNS if re.search(pattern, row["title"]))
        if account:
            articles.append(linux_china_article(row, account))
    return articles


def linux_china_article(row, account):
    licence, licence_url = LICENCES["lctt"]
    site = urlparse(row["url"]).netloc
    source = (
        f"原文作者 {row['author']}，首发于 [opensource.com](https://opensource.com/)；"
        f"由 [Linux 中国](https://linux.cn/) LCTT 翻译。[{'原文' if site == 'opensource.com' else '译文'}]({row['url']})，"
        f"按 [{licence}]({licence_url}) 许可转载，排版有改动。"
    )
    return {
        "external_id": row["id"],
        "account": account,
        "title": row["title"],
        "body": f"{markdown(row['body'])}\n\n---\n\n*{source}*\n",
        "author": row["author"],
        "tags": tags(row["title"]),
        "lang": "zh-Hans",
        "url": row["url"],
        "licence": licence,
    }


def markdown(body):
    """Plain paragraphs back to Markdown: code closed up, lists tight, headings told by their look."""
    blocks, code = [], None
    for block in body.split("\n\n"):
        block = block.strip("\n")
        if block.strip().startswith("```"):
            if code is None:
                code = []
            else:
                blocks.append("```\n" + "\n".join(code) + "\n```")
                code = None
        elif code is not None:
            code.append(block)
        elif block.strip() and "题图" not in block:
            blocks.append(re.sub(r"^\* ", "- ", block.strip()))
    out = []
    for i, block in enumerate(blocks):
        following = blocks[i + 1] if i + 1 < len(blocks) else ""
        if is_heading(block, i, following):
            block = "## " + re.sub(r"\s*#+$", "", block)
        elif not block.startswith(("```", "- ")):
            # Only code spans and lists are Markdown in the source; nothing else may become it.
            block = re.sub(r"([*_\[\]<>#|~])", r"\\\1", block) if "`" not in block else block
        tight = out and any(re.match(m, out[-1]) and re.match(m, block) for m in (r"- ", r"\d+\. "))
        if tight:
            out[-1] += "\n" + block
        else:
            out.append(block)
    return "\n\n".join(out)


def is_heading(block, place, following):
    plain = len(block) <= 32 and "\n" not in block and not block.startswith(("-", "`", "!", "#", "*"))
    ends = block[-1] not in "。：:，；！？…”）.,;!" and "`" not in block
    return plain and ends and place > 0 and len(following) > 40 and not following.startswith(("-", "`"))


TAGS = ["Linux", "Python", "FreeDOS", "GNOME", "Kubernetes", "DevOps", "树莓派", "开源", "Vim", "Emacs",
        "数据库", "桌面", "编辑器", "邮件", "容器", "社区", "安全", "游戏", "Git", "Java", "Mastodon", "KDE"]


def tags(title):
    return [tag for tag in TAGS if tag in title][:4]


# --- Wikipedia -------------------------------------------------------------------------------


def wikipedia(path):
    passages = {}
    with open(path, encoding="utf-8") as file:
        for row in map(json.loads, file):
            passages.setdefault((row["lang"], row["title"]), []).append(row)
    articles = []
    for account, (column, tag, titles) in TRADITIONAL.items():
        for name, shown in wanted(titles):
            articles.append(wikipedia_article(passages[("zh-Hant", name)], name, shown, account, column, tag))
    account, column, tag, titles = SIMPLIFIED
    for name, shown in wanted(titles):
        articles.append(wikipedia_article(passages[("zh-Hans", name)], name, shown, account, column, tag))
    return articles


def wanted(titles):
    seen = dict.fromkeys(t for t in titles.split())
    return [tuple(t.split("=")) if "=" in t else (t, t) for t in seen]


def wikipedia_article(rows, name, shown, account, column, tag):
    rows.sort(key=lambda r: [int(n) if n.isdigit() else 0 for n in r["id"].split("-")[1:]])
    source, lang = rows[0]["id"].split("-")[0], rows[0]["lang"]
    licence, licence_url = LICENCES[source]
    url = "https://zh.wikipedia.org/wiki/" + quote(name.replace(" ", "_"))
    escaped = lambda text: re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", text)
    if lang == "zh-Hant":
        credit = (f"節錄自維基百科條目〈[{escaped(shown)}]({url})〉及其編者，經 DRCD 資料集整理；"
                  f"依 [{licence}]({licence_url}) 授權轉載。")
        editors = "維基百科編者"
    else:
        credit = (f"节录自维基百科条目《[{escaped(shown)}]({url})》及其编者，经 CMRC 2018 数据集整理；"
                  f"依 [{licence}]({licence_url}) 许可转载。")
        editors = "维基百科编者"
    body = "\n\n".join(escaped(re.sub(r"\s+", " ", r["body"]).strip()) for r in rows)
    return {
        "external_id": rows[0]["id"],
        "account": account,
        "title": f"{column}｜{shown}",
        "body": f"{body}\n\n---\n\n*{credit}*\n",
        "author": editors,
        "tags": [column, tag],
        "lang": lang,
        "url": url,
        "licence": licence,
    }


main()
