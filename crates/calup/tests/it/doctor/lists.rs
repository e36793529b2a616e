//! What a list lacks or does not allow: rights, statuses, the field for addresses.

use super::{Town, failed};
use crate::world::{BROKERS, EMAIL_FIELD, SELLERS};

const OTHER_FIELD: &str = "a0b8efe1-0000-4c63-8850-0d0742888f9e";
const THIRD_FIELD: &str = "a0b8efe1-0000-4c63-8850-0d0742888f9f";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_may_not_be_written_to_is_told() {
    let town = Town::new().await;
    town.clickup.set_permission(BROKERS, "comment");
    let found = town.examined();
    assert_eq!(found.code, 1);
    let told = found.one("fail", "list", "Brokers (901100000001)");
    assert!(told.contains("may only read and comment on"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_that_one_list_lacks_is_told_with_those_it_has() {
    let town = Town::new().await;
    town.clickup.remove_status(SELLERS, "meeting cancelled");
    let found = town.examined();
    assert_eq!(found.code, 1);
    let told = found.one("fail", "status", "Sellers (901100000002)");
    assert!(
        told.contains("has no status `Meeting Cancelled`; it has to do, meeting booked, negotiating, lost, won →"),
        "{told}"
    );
    assert!(told.contains("CLICKUP_STATUS_CANCELLED"), "{told}");
    assert_eq!(failed(&found.json).len(), 1, "{:#}", found.json);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_email_field_that_one_list_lacks_is_the_one_to_add_there() {
    let town = Town::new().await;
    town.clickup.remove_field(SELLERS, EMAIL_FIELD);
    let told = town.examined().one(
        "fail",
        "email-field",
        "Sellers (901100000002) has no field `Email`",
    );
    assert!(
        told.contains(&format!("add the existing field `Email` ({EMAIL_FIELD})")),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_email_fields_on_one_list_are_both_named() {
    let mut town = Town::new().await;
    town.clickup
        .add_field(&[SELLERS], OTHER_FIELD, " EMAIL ", "email");
    let found = town.examined();
    assert_eq!(found.code, 1);
    let told = found.one("fail", "email-field", "Sellers (901100000002)");
    assert!(
        told.contains(EMAIL_FIELD) && told.contains(OTHER_FIELD),
        "{told}"
    );
    assert!(told.contains("CLICKUP_EMAIL_FIELD"), "{told}");
    assert_eq!(failed(&found.json).len(), 1, "{:#}", found.json);

    town.calup.set("CLICKUP_EMAIL_FIELD", EMAIL_FIELD);
    assert_eq!(town.examined().code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_of_its_own_on_each_list_is_fine() {
    let town = Town::new().await;
    for (list, field) in [(BROKERS, OTHER_FIELD), (SELLERS, THIRD_FIELD)] {
        town.clickup.remove_field(list, EMAIL_FIELD);
        town.clickup.add_field(&[list], field, "email", "email");
    }
    let found = town.examined();
    assert_eq!(found.code, 0, "{:#}", found.json);
    let told = found.one("ok", "email-field", "each list has one");
    for id in [EMAIL_FIELD, OTHER_FIELD, THIRD_FIELD] {
        assert!(told.contains(id), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_of_another_type_is_told_by_what_it_can_do() {
    for (kind, state, says, code) in [
        ("short_text", "warn", "is of type short_text, not Email", 0),
        (
            "phone",
            "fail",
            "is of type phone, which cannot be searched",
            1,
        ),
    ] {
        let town = Town::new().await;
        town.clickup.remove_field(BROKERS, EMAIL_FIELD);
        town.clickup
            .add_field(&[BROKERS], OTHER_FIELD, "Email", kind);
        let found = town.examined();
        let told = found.one(state, "email-field", "Brokers (901100000001)");
        assert!(told.contains(says) && told.contains(OTHER_FIELD), "{told}");
        assert_eq!(found.code, code, "{:#}", found.json);
    }
}
