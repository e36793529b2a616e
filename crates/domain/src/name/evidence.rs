//! What speaks for one person and against it, in words, and what it weighs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// From this score on a person is asked.
const WORTH_ASKING: u32 = 65;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Initial,
    /// One letter more, less, other or swapped in a long name.
    OneLetterOff,
    ShortForm,
    /// The vowels that the other script does not write are unknown.
    OtherScript,
    OtherSpelling,
    Same,
}

impl How {
    /// Can be the evidence of a family name.
    pub(super) fn is_strong(self) -> bool {
        !matches!(self, Self::Initial | Self::ShortForm)
    }

    pub(super) fn family_points(self) -> i32 {
        match self {
            Self::Same => 50,
            Self::OtherSpelling | Self::OtherScript => 47,
            Self::OneLetterOff => 30,
            Self::ShortForm | Self::Initial => 0,
        }
    }

    pub(super) fn given_points(self) -> i32 {
        match self {
            Self::Same => 40,
            Self::OtherScript => 38,
            Self::OtherSpelling => 35,
            Self::ShortForm => 30,
            Self::OneLetterOff => 25,
            Self::Initial => 15,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The same words, perhaps in another order.
    SameNames,
    /// The same letters, cut into words differently or in another script.
    SameLetters,
    /// An address spells the name.
    Address,
    Family(How),
    Given(How),
    /// No given name to compare.
    FamilyOnly(How),
    SameCompany,
    OtherCompany,
    OtherMiddleName,
    OtherFamilyName,
    /// Father and son.
    OtherGeneration,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Family(how) | Self::FamilyOnly(how) | Self::Given(how)) = self else {
            return f.write_str(match self {
                Self::SameNames => "same names",
                Self::SameLetters => "same name, divided or written differently",
                Self::Address => "the address spells the name",
                Self::SameCompany => "same company",
                Self::OtherCompany => "another company",
                Self::OtherMiddleName => "another middle name",
                Self::OtherFamilyName => "another family name",
                Self::OtherGeneration => "another generation",
                Self::Family(_) | Self::FamilyOnly(_) | Self::Given(_) => {
                    unreachable!("told below")
                }
            });
        };
        let which = if matches!(self, Self::Given(_)) {
            "given name"
        } else {
            "family name"
        };
        match how {
            How::Same => write!(f, "same {which}"),
            How::OtherSpelling => write!(f, "{which} in another spelling"),
            How::OtherScript => write!(f, "{which} in another script"),
            How::ShortForm => write!(f, "{which} is a form of it"),
            How::OneLetterOff => write!(f, "{which} one letter off"),
            How::Initial => write!(f, "initial fits the {which}"),
        }?;
        if matches!(self, Self::FamilyOnly(_)) {
            f.write_str(", no given name to compare")?;
        }
        Ok(())
    }
}

/// Of a booker and a record. Shown as a sentence: "same family name, given name is a form of it, same company".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resemblance {
    score: u32,
    evidence: Vec<Evidence>,
}

impl Resemblance {
    pub(super) fn new(points: i32, evidence: Vec<Evidence>) -> Self {
        let score = points.clamp(0, 100).unsigned_abs();
        Self { score, evidence }
    }

    /// 0 to 100; for ordering.
    pub fn score(&self) -> u32 {
        self.score
    }

    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    pub fn is_worth_asking(&self) -> bool {
        self.score >= WORTH_ASKING
    }
}

impl fmt::Display for Resemblance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, evidence) in self.evidence.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{evidence}")?;
        }
        if self.evidence.is_empty() {
            f.write_str("nothing in common")?;
        }
        Ok(())
    }
}
