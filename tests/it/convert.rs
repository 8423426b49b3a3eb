//! Conversion between scripts, scored on OpenCC's own test cases.

use std::collections::BTreeMap;

use xiangxun::text::convert::Direction;

const CASES: &str = include_str!("../fixtures/opencc/cases.tsv");

/// Directions that OpenCC has cases for and nobody here reads: Japanese.
const LEFT_OUT: [&str; 2] = ["jp2t", "t2jp"];

#[test]
fn every_case_of_opencc_passes() {
    let mut scores: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut failed = Vec::new();
    for line in CASES.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [config, input, expected] = fields[..] else { panic!("not a case: {line}") };
        let Ok(direction) = config.parse::<Direction>() else {
            assert!(LEFT_OUT.contains(&config), "{config}");
            continue;
        };
        let (passed, all) = scores.entry(config).or_default();
        *all += 1;
        let converted = direction.convert(input);
        if converted == expected {
            *passed += 1;
        } else {
            failed.push(format!("{config}: {input} became {converted}, not {expected}"));
        }
    }
    println!("{scores:?}");
    assert_eq!(failed, Vec::<String>::new());
    let known = [
        ("hk2s", 21),
        ("hk2sp", 8),
        ("hk2t", 17),
        ("s2hk", 51),
        ("s2hkp", 8),
        ("s2t", 96),
        ("s2tw", 65),
        ("s2twp", 84),
        ("t2hk", 17),
        ("t2s", 55),
        ("t2tw", 10),
        ("tw2s", 32),
        ("tw2sp", 53),
        ("tw2t", 18),
    ];
    assert_eq!(scores, known.map(|(config, all)| (config, (all, all))).into_iter().collect());
}

#[test]
fn a_long_text_is_converted_as_opencc_does() {
    let input = include_str!("../fixtures/opencc/golden.txt");
    for (direction, expected) in [
        (Direction::S2t, include_str!("../fixtures/opencc/golden.s2t.txt")),
        (Direction::S2tw, include_str!("../fixtures/opencc/golden.s2tw.txt")),
        (Direction::S2twp, include_str!("../fixtures/opencc/golden.s2twp.txt")),
        (Direction::S2hk, include_str!("../fixtures/opencc/golden.s2hk.txt")),
    ] {
        assert_eq!(direction.convert(input), expected, "{direction:?}");
    }
    assert_eq!(Direction::T2s.convert(include_str!("../fixtures/opencc/golden.s2t.txt")), input);
}
