//! Words that stand around a name and are no part of it: titles, particles, notes, posts.

use super::company::{Words, words};

pub static TITLES: Words = Words::new(|| {
    words(
        " dr prof professor mr mrs ms miss mx sir mme mlle monsieur madame herr frau hr dipl med phil jur rer nat \
habil univ dott dottssa sig sigra signor signora sra srta dna señor señora senor senora mgr mudr judr rndr phdr drs mevr familie \
family fam mister phd md msc bsc mba llm cpa esq dds dvm mphil edd 先生 女士 小姐 太太 老师 さま さん 씨 님 대표 사장 госпожа \
господин מר גב ",
    )
});

/// Titles that are names as well: left out where two words are left.
pub static PERHAPS_TITLES: Words = Words::new(|| {
    words(
        " ing mag arch avv geom rag bc pan pani doc hon fr mw haji hajji hadji sheikh shaikh sri shri smt kumari \
capt captain col gen lt maj sgt rev dame lord lady don dona doña dom ma ba jd rn pe 总 样 г гн др ",
    )
});

pub static PARTICLES: Words = Words::new(|| {
    words(
        " van von vom zu zum zur der den dem des de del della dei di da do dos das du d la le les l lo los las af av \
ten ter te tot bin ibn bint ben bat al el ul ad as ar e y i und bar ould abu umm mac mc thi بن ابن بنت ال בן בת фон де ван ",
    )
});

/// Particles that are names where they begin one: Ben Smith, Al Pacino, Le Van Anh.
pub static NAMES_AT_THE_FRONT: Words =
    Words::new(|| words(" ben al bat van le la di do da du de el te i e bar don ma "));

/// What people write around a name in a list of leads.
pub static NOTES: Words = Words::new(|| {
    words(
        " lead leads broker brokers seller sellers buyer buyers new neu hot cold warm call meeting follow up followup prospect \
client customer contact re fwd urgent vip owner agent makler kaufer kauferin verkaufer verkauferin kunde kundin inbound \
outbound demo intro todo test ",
    )
});

/// Names of posts, not of people.
pub static ROLES: Words = Words::new(|| {
    words(
        " team info support sales office department dept reception helpdesk help noreply reply admin administrator \
administration billing accounting accounts accountant service services customer marketing hr jobs careers hello contact mail \
vertrieb buro verkauf kontakt zentrale empfang sekretariat webmaster postmaster ventas ventes comercial commercial front \
back desk staff management verwaltung buchhaltung ",
    )
});

/// Any one of these says that no person is meant.
pub static SURE_ROLES: Words = Words::new(|| {
    words(
        " team support department dept reception helpdesk noreply admin administrator administration \
billing service services customer marketing webmaster postmaster sekretariat vertrieb buchhaltung ",
    )
});

pub const SERVANTS: [&str; 5] = ["abdul", "abdel", "abdal", "abdur", "abder"];

/// Of father and son.
pub fn generation(folded: &str) -> Option<u8> {
    match folded {
        "sr" | "senior" | "père" | "pere" => Some(1),
        "jr" | "jnr" | "junior" | "filho" | "ii" | "fils" => Some(2),
        "iii" | "neto" => Some(3),
        "iv" => Some(4),
        _ => None,
    }
}
