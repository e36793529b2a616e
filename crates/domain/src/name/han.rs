//! What only names need that are not spelled letter by letter: where the family name ends, and how it is read.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::company::{Words, words};
use super::fold::fold;

/// A traditional character of names as its simplified one. Names only: a whole table would be a library's.
pub fn simplified(c: char) -> char {
    const PAIRS: &str = "張张陳陈劉刘楊杨趙赵黃黄黃黄吳吴孫孙馬马羅罗鄭郑許许馮冯鄧邓蕭萧蔣蒋葉叶閻阎鍾钟譚谭陸陆韋韦賈贾鄒邹龍龙\
萬万錢钱湯汤賴赖龔龚嚴严諸诸葛葛歐欧陽阳東东偉伟華华國国強强軍军傑杰麗丽玲玲靜静潔洁豔艳蘭兰鳳凤紅红雲云鵬鹏飛飞\
輝辉興兴榮荣慶庆寶宝貴贵學学書书義义禮礼賢贤達达運运遠远廣广夢梦詩诗語语韻韵瑩莹穎颖瓊琼璿璇瑤瑶曉晓曄晔嬌娇嫻娴\
婷婷嵐岚銘铭鈞钧鑫鑫錦锦鋒锋鐵铁長长開开關关門门闊阔風风齊齐齡龄億亿倫伦備备傳传儀仪優优勝胜勛勋動动勵励區区協协\
單单衛卫衝冲親亲觀观計计誠诚諾诺謙谦讓让豐丰財财質质車车輕轻辭辞農农進进選选鄉乡鎮镇陰阴際际隨随險险雙双難难霽霁\
頁页順顺頌颂題题顏颜願愿類类顧顾養养馳驰駿骏驍骁鴻鸿鶴鹤麥麦黨党龜龟澤泽濤涛瀟潇灝灏煒炜燁烨爾尔獻献環环珊珊現现\
畢毕盧卢祿禄穩稳窮穷競竞節节範范築筑紀纪純纯紹绍終终維维緒绪線线編编緯纬練练績绩繼继續续聖圣聞闻聰聪聯联職职肅肃\
膽胆臨临舊旧蓮莲薩萨藍蓝藝艺蘇苏虛虚號号補补裝装視视覺觉詠咏詳详謝谢謹谨譽誉變变貝贝貞贞責责賀贺賓宾賜赐趨趋躍跃\
軒轩轉转辰辰鄺邝鄔邬酈郦鈴铃鋼钢鎖锁鏡镜閃闪閔闵隊队陣阵雋隽霧雾靈灵頡颉頤颐頻频飄飘饒饶駱骆魯鲁鮑鲍鴿鸽鵑鹃鶯莺";
    static MAP: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
        let all: Vec<char> = PAIRS.chars().collect();
        all.chunks_exact(2).map(|p| (p[0], p[1])).collect()
    });
    if matches!(c, '\u{4e00}'..='\u{9fff}') {
        MAP.get(&c).copied().unwrap_or(c)
    } else {
        c
    }
}

/// The commonest Chinese family names of one character, simplified: nine in ten people.
const CHINESE: &str = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜\
范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文施洪欧尤严牛温葛俞卫翁齐庞樊殷霍耿关鲁\
韦苗盛邢纪骆凌";

const CHINESE_OF_TWO: [&str; 8] = [
    "欧阳", "司马", "诸葛", "上官", "司徒", "东方", "夏侯", "皇甫",
];

struct Native {
    name: String,
    spellings: Vec<&'static str>,
}

#[derive(Default)]
struct Natives {
    japanese_families: Vec<Native>,
    korean_families: Vec<Native>,
    by_name: HashMap<String, Vec<&'static str>>,
}

static NATIVES: LazyLock<Natives> = LazyLock::new(|| {
    let mut out = Natives::default();
    let lines = include_str!("native.txt").lines();
    for line in lines.filter(|l| !l.starts_with('#')) {
        let mut cells = line.split(' ');
        let (kind, name) = (cells.next().unwrap_or(""), fold(cells.next().unwrap_or("")));
        let spellings: Vec<_> = cells.collect();
        let known = out.by_name.entry(name.clone()).or_default();
        known.extend(&spellings);
        match kind {
            "ja-family" => out.japanese_families.push(Native { name, spellings }),
            "ko-family" => out.korean_families.push(Native { name, spellings }),
            _ => {}
        }
    }
    out
});

/// So common that a name of two syllables beginning with one is a whole name, not a given name alone.
const KOREAN_COMMONEST: &str = "김이박최정강조윤장임";

/// Courtesy written onto the name.
const COURTESY: [&str; 14] = [
    "先生", "女士", "小姐", "太太", "老师", "总", "样", "様", "さま", "さん", "씨", "님", "대표",
    "사장",
];

/// Where the family name of a folded word without blanks ends, in bytes; `None` when it is one name alone.
pub fn split(folded: &str, hangul: bool) -> Option<usize> {
    let chars = folded.chars().count();
    let first = folded.chars().next().map_or(0, char::len_utf8);
    if chars < 2 {
        return None;
    }
    if hangul {
        let two = NATIVES
            .korean_families
            .iter()
            .find(|n| n.name.chars().count() == 2 && folded.starts_with(&n.name));
        return match (two, chars) {
            (Some(family), 3..) => Some(family.name.len()),
            (None, 3..) => Some(first),
            (_, _) => folded
                .starts_with(|c| KOREAN_COMMONEST.contains(c))
                .then_some(first),
        };
    }
    let of_two = CHINESE_OF_TWO.iter().copied();
    let japanese = NATIVES.japanese_families.iter().map(|n| n.name.as_str());
    let longest = of_two
        .chain(japanese)
        .filter(|name| folded.starts_with(name))
        .max_by_key(|name| name.len());
    match longest {
        Some(name) if name.len() < folded.len() => Some(name.len()),
        Some(_) => None,
        None => (chars > 2 || folded.starts_with(|c| CHINESE.contains(c))).then_some(first),
    }
}

/// The word without a courtesy at its end.
pub fn without_courtesy(folded: &str) -> &str {
    COURTESY
        .iter()
        .find_map(|title| folded.strip_suffix(title))
        .unwrap_or(folded)
}

/// A character whose reading in names is not its commonest one.
pub fn reading_in_names(c: char) -> Option<&'static str> {
    Some(match c {
        '娜' => "na ",
        '曾' => "zeng ",
        '单' => "shan ",
        '解' => "xie ",
        '翟' => "zhai ",
        '沈' => "shen ",
        '薛' => "xue ",
        '叶' => "ye ",
        '万' => "wan ",
        '仇' => "qiu ",
        '查' => "zha ",
        '茜' => "qian ",
        '乐' => "le ",
        '朴' => "piao ",
        _ => return None,
    })
}

/// How a folded word may be written in Latin letters, where that is not spelled letter by letter.
pub fn readings(folded: &str) -> &'static [&'static str] {
    NATIVES.by_name.get(folded).map_or(&[], Vec::as_slice)
}

/// The usual spelling of a Korean family name, whichever it is written in.
pub fn korean_family(latin: &str) -> Option<&'static str> {
    let mut all = NATIVES.korean_families.iter().map(|n| &n.spellings);
    let spellings = all.find(|s| s.contains(&latin))?;
    spellings.first().copied()
}

/// A Korean given name in Latin letters, with the letters that are written in two ways made one.
pub fn korean_given(latin: &str) -> String {
    let mut out = latin.to_owned();
    for (from, to) in [
        ("yeo", "yu"),
        ("you", "yu"),
        ("yoo", "yu"),
        ("eo", "u"),
        ("eu", "u"),
        ("woo", "u"),
        ("wu", "u"),
        ("oo", "u"),
        ("ee", "i"),
        ("yi", "i"),
        ("ae", "e"),
        ("ai", "e"),
        ("sh", "s"),
    ] {
        out = out.replace(from, to);
    }
    out
}

/// Family names that come first even in Latin letters, when the whole name is written the native way.
pub fn is_family_first(latin: &str) -> bool {
    static FIRST: Words = Words::new(|| {
        words(
            " wang li zhang liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo liang song zheng \
xie han tang feng yu dong xiao cheng cao yuan deng fu shen zeng peng lu su jiang cai jia ding wei xue ye yan pan du dai xia \
zhong tian ren fan fang shi yao tan liao zou xiong jin hao kong bai cui kang mao qiu qin gu hou shao meng long wan duan \
ouyang zhuge sima wong chan cheung lam ng lau kwok leung \
nguyen tran pham huynh hoang phan vu vo dang bui ngo duong \
kim lee park choi jung jeong kang cho yoon yun jang lim han oh seo shin kwon hwang ahn hong yoo moon bae baek heo noh ",
        )
    });
    FIRST.contains(latin)
}
