//! The words a collection's captions use, as the rows of a table that is trained.
//!
//! A term is a word, or two that follow each other ("red apple" is more than red and apple). No dictionary is brought along: a model
//! knows what its own collection taught it, in whatever language the captions are written.
use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;

/// Captions a term must be found in: a rarer one would name single pictures.
const LEAST: usize = 3;
/// Most terms, the most frequent ones.
const MOST: usize = 4096;
/// Small English words that say nothing by themselves: not learnt, and not called unknown.
const FILLERS: [&str; 17] =
    ["a", "an", "and", "at", "by", "for", "from", "in", "is", "it", "of", "on", "or", "the", "this", "to", "with"];

/// The terms a model reads, each with its row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    terms: Vec<String>,
    rows: BTreeMap<String, u32>,
}

/// What a vocabulary makes of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Rows of the terms found, ascending, each once.
    pub known: Vec<u32>,
    /// Words that are part of no term, in the order of the text, each once.
    pub unknown: Vec<String>,
}

impl Vocabulary {
    /// The terms of captions, most frequent first; each found in at least three of them.
    pub fn learn<'a>(captions: impl Iterator<Item = &'a str>) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for caption in captions {
            let found: BTreeSet<String> = terms(&words(caption)).collect();
            found.into_iter().for_each(|term| *counts.entry(term).or_default() += 1);
        }
        // Two words that are never found apart are one term already: either word's.
        let says_more = |term: &str, count: usize| {
            term.split_once(' ').is_none_or(|(a, b)| counts.get(a).min(counts.get(b)).is_none_or(|&least| count < least))
        };
        let mut kept: Vec<(&String, usize)> =
            counts.iter().map(|(t, &n)| (t, n)).filter(|&(t, n)| n >= LEAST && says_more(t, n)).collect();
        kept.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        Vocabulary::new(kept.into_iter().take(MOST).map(|(term, _)| term.clone()).collect())
    }

    /// Of terms whose rows are in this order, as a model file holds them.
    pub fn new(terms: Vec<String>) -> Self {
        let rows = terms.iter().cloned().zip(0..).collect();
        Vocabulary { terms, rows }
    }

    /// All terms, in the order of their rows.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// The terms of a text, and the words that are none.
    pub fn read(&self, text: &str) -> Reading {
        let words = words(text);
        let known: BTreeSet<u32> = terms(&words).filter_map(|term| self.rows.get(&term).copied()).collect();
        let mut unknown = Vec::new();
        for (i, word) in words.iter().enumerate() {
            let pairs = [i.checked_sub(1).map(|j| (j, i)), Some((i, i + 1))];
            let in_pair = |&(a, b): &(usize, usize)| {
                words.get(b).is_some_and(|second| self.rows.contains_key(&format!("{} {second}", words[a])))
            };
            let is_known = self.rows.contains_key(word) || pairs.iter().flatten().any(in_pair);
            if !is_known && !is_filler(word) && !unknown.contains(word) {
                unknown.push(word.clone());
            }
        }
        Reading { known: known.into_iter().collect(), unknown }
    }
}

/// Whether a word says nothing by itself.
pub fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}

/// The words of a text: runs of letters and digits, in lower case. A letter and its accent are one sign however they were typed
/// (Unicode's form C): names of files come apart on some systems.
pub fn words(text: &str) -> Vec<String> {
    let lower = text.nfc().collect::<String>().to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// Every word that says something, and every two of those that follow each other.
fn terms(words: &[String]) -> impl Iterator<Item = String> {
    let telling: Vec<&String> = words.iter().filter(|w| !is_filler(w)).collect();
    let pairs: Vec<String> = telling.windows(2).map(|two| format!("{} {}", two[0], two[1])).collect();
    telling.into_iter().cloned().collect::<Vec<_>>().into_iter().chain(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt() -> Vocabulary {
        let captions =
            ["a red apple", "Red apple!", "the RED car", "red apple, sliced", "a green car", "green leaf", "green car"];
        Vocabulary::learn(captions.into_iter())
    }

    #[test]
    fn terms_are_those_of_several_captions() {
        // "red apple" is found as often as apple alone, and says no more; leaf and sliced are found once.
        assert_eq!(learnt().terms(), ["red", "apple", "car", "green"]);
        let cars = ["red car", "red car", "red car", "red boat", "blue car"];
        assert_eq!(Vocabulary::learn(cars.into_iter()).terms(), ["car", "red", "red car"]);
        assert!(Vocabulary::learn(std::iter::empty()).terms().is_empty());
    }

    #[test]
    fn what_is_not_known_is_said() {
        let reading = learnt().read("The green apple of a dragon, a Dragon");
        assert_eq!(reading, Reading { known: vec![1, 3], unknown: vec!["dragon".into()] });
        assert_eq!(learnt().read(""), Reading::default());
        let again = Vocabulary::new(learnt().terms().to_vec());
        assert_eq!(again, learnt());
    }

    #[test]
    fn other_scripts_have_words_too() {
        let captions = ["красный дом", "красный кот", "КРАСНЫЙ сад", "青い 空", "青い 海", "青い 山"];
        assert_eq!(Vocabulary::learn(captions.into_iter()).terms(), ["красный", "青い"]);
        assert_eq!(words("Ka\u{308}se"), words("käse"), "an accent typed apart");
    }
}
