//! The syllables of Mandarin, without tones; ü is written v.

use std::ops::Range;

/// In order of the alphabet, so that those with one beginning stand together.
const ALL: &str = "\
    a ai an ang ao ba bai ban bang bao bei ben beng bi bian biao bie bin bing bo bu ca cai can cang cao ce cen \
    ceng cha chai chan chang chao che chen cheng chi chong chou chu chua chuai chuan chuang chui chun chuo ci \
    cong cou cu cuan cui cun cuo da dai dan dang dao de dei den deng di dia dian diao die ding diu dong dou du \
    duan dui dun duo e ei en eng er fa fan fang fei fen feng fiao fo fou fu ga gai gan gang gao ge gei gen geng \
    gong gou gu gua guai guan guang gui gun guo ha hai han hang hao he hei hen heng hong hou hu hua huai huan \
    huang hui hun huo ji jia jian jiang jiao jie jin jing jiong jiu ju juan jue jun ka kai kan kang kao ke kei \
    ken keng kong kou ku kua kuai kuan kuang kui kun kuo la lai lan lang lao le lei len leng li lia lian liang \
    liao lie lin ling liu lo long lou lu luan lun luo lv lve ma mai man mang mao me mei men meng mi mian miao mie \
    min ming miu mo mou mu na nai nan nang nao ne nei nen neng ni nian niang niao nie nin ning niu nong nou nu \
    nuan nun nuo nv nve o ou pa pai pan pang pao pei pen peng pi pian piao pie pin ping po pou pu qi qia qian \
    qiang qiao qie qin qing qiong qiu qu quan que qun ran rang rao re ren reng ri rong rou ru rua ruan rui run \
    ruo sa sai san sang sao se sen seng sha shai shan shang shao she shei shen sheng shi shou shu shua shuai \
    shuan shuang shui shun shuo si song sou su suan sui sun suo ta tai tan tang tao te tei teng ti tian tiao tie \
    ting tong tou tu tuan tui tun tuo wa wai wan wang wei wen weng wo wu xi xia xian xiang xiao xie xin xing \
    xiong xiu xu xuan xue xun ya yan yang yao ye yi yin ying yo yong you yu yuan yue yun za zai zan zang zao ze \
    zei zen zeng zha zhai zhan zhang zhao zhe zhei zhen zheng zhi zhong zhou zhu zhua zhuai zhuan zhuang zhui \
    zhun zhuo zi zong zou zu zuan zui zun zuo";

/// Other spellings of some.
const SPELLINGS: [(&str, &str); 6] =
    [("lue", "lve"), ("nue", "nve"), ("lyu", "lv"), ("nyu", "nv"), ("lyue", "lve"), ("nyue", "nve")];

/// A syllable: its place among all of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Syllable(pub u16);

static LIST: std::sync::LazyLock<Vec<&'static str>> =
    std::sync::LazyLock::new(|| ALL.split_whitespace().collect());

/// What is easily confused, near syllable for near syllable: each one's representative.
static ALIKE: std::sync::LazyLock<Vec<Syllable>> = std::sync::LazyLock::new(|| {
    let mut first = std::collections::HashMap::new();
    let near =
        |(at, text): (usize, &&'static str)| *first.entry(blurred(text)).or_insert(Syllable(at as u16));
    LIST.iter().enumerate().map(near).collect()
});

impl Syllable {
    /// Reads a whole syllable: plain letters, `v` for ü.
    pub fn parse(text: &str) -> Option<Syllable> {
        let other = SPELLINGS.iter().find(|(spelling, _)| *spelling == text);
        let text = other.map_or(text, |(_, usual)| usual);
        LIST.binary_search(&text).ok().map(|at| Syllable(at as u16))
    }

    pub fn text(self) -> &'static str {
        LIST.get(usize::from(self.0)).copied().unwrap_or_default()
    }

    pub fn initial(self) -> char {
        self.text().chars().next().unwrap_or_default()
    }

    /// Those that begin with `start`, as places; empty where none does.
    pub fn starting(start: &str) -> Range<u16> {
        let from = LIST.partition_point(|text| *text < start);
        let to = from + LIST[from..].partition_point(|text| text.starts_with(start));
        from as u16..to as u16
    }

    /// The same for all syllables that are easily taken for one another: z/zh, c/ch, s/sh, n/l,
    /// in/ing, en/eng, an/ang.
    pub fn alike(self) -> Syllable {
        ALIKE.get(usize::from(self.0)).copied().unwrap_or(self)
    }
}

impl std::fmt::Debug for Syllable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

/// A syllable without what is easily confused.
fn blurred(text: &str) -> String {
    let mut text = text.to_owned();
    for (said, taken) in [("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l")] {
        if let Some(rest) = text.strip_prefix(said) {
            text = format!("{taken}{rest}");
        }
    }
    match text.strip_suffix("ng") {
        Some(start) if start.ends_with(['a', 'e', 'i']) => format!("{start}n"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_read_back() {
        assert!(LIST.is_sorted());
        for text in LIST.iter() {
            assert_eq!(Syllable::parse(text).unwrap().text(), *text);
        }
        assert_eq!(Syllable::parse("lue"), Syllable::parse("lve"));
        assert_eq!(Syllable::parse("xq"), None);
    }

    #[test]
    fn beginnings_are_ranges() {
        let texts = |start| Syllable::starting(start).map(|at| Syllable(at).text()).collect::<Vec<_>>();
        assert_eq!(texts("zhu"), ["zhu", "zhua", "zhuai", "zhuan", "zhuang", "zhui", "zhun", "zhuo"]);
        assert_eq!(texts("mia"), ["mian", "miao"]);
        assert!(texts("i").is_empty() && texts("zz").is_empty());
    }

    #[test]
    fn what_is_easily_confused_is_alike() {
        let alike = |text| Syllable::parse(text).unwrap().alike();
        for (one, other) in
            [("zhong", "zong"), ("shi", "si"), ("chen", "cheng"), ("lan", "nang"), ("min", "ming")]
        {
            assert_eq!(alike(one), alike(other), "{one} {other}");
        }
        assert_ne!(alike("dong"), alike("dan"));
    }
}
