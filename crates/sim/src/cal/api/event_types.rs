//! The routes of event types and of their private links.

use serde_json::{Value, json};

use super::bookable::Bookable;
use super::routes::{Asked, Outcome, created, forbidden, invalid, not_found, success};
use super::state::State;
use crate::cal::body::join;

/// Without `username`, all of whoever asks; with it, what everybody may see.
pub(super) fn list(state: &State, asked: &Asked) -> Outcome {
    let username = asked.param("username");
    if username.is_none() && !asked.is_host() {
        // Seen on a running server: not an error.
        return success(json!([]));
    }
    let is_known = username.is_none_or(|it| it == state.config.host.username);
    let slug = asked.param("eventSlug");
    let wanted = state.bookables.iter().filter(|it| {
        is_known
            && slug.is_none_or(|slug| it.event.slug == slug)
            && (username.is_none() || !it.hidden)
    });
    success(wanted.map(|it| view(state, it)).collect())
}

/// What is answered in the versions before 2024-06-14.
pub(super) fn older_list(state: &State) -> Outcome {
    let types = state.bookables.iter().map(|it| {
        json!({
            "id": it.event.id, "title": it.event.title, "slug": it.event.slug,
            "length": it.minutes, "hidden": it.hidden, "description": it.description,
        })
    });
    let profile = json!({"slug": state.config.host.username, "name": state.config.host.name});
    let group = json!({
        "teamId": null,
        "bookerUrl": state.config.booking_base,
        "profile": profile,
        "eventTypes": types.collect::<Value>(),
    });
    success(json!({"eventTypeGroups": [group], "profiles": [profile]}))
}

pub(super) fn get(state: &State, id: &str) -> Outcome {
    match found(state, id) {
        Ok(bookable) => success(view(state, bookable)),
        Err(refusal) => refusal,
    }
}

/// One use where nothing is said, on the hosted one; a self-hosted server wants to be told.
pub(super) fn create_link(state: &mut State, id: &str, asked: &Asked) -> Outcome {
    let bookable = match found(state, id) {
        Ok(bookable) => bookable,
        Err(refusal) => return refusal,
    };
    let expires_at = &asked.body["expiresAt"];
    let uses = &asked.body["maxUsageCount"];
    if expires_at.is_null() && uses.is_null() && !state.config.hosted {
        return invalid("Either expiresAt or maxUsageCount must be provided");
    }
    let hash = state.producer.new_uid();
    let base = &state.config.booking_base;
    let slug = &bookable.event.slug;
    let url = if state.config.hosted {
        format!("{base}/d/{hash}/{slug}")
    } else {
        format!("{base}/d/{hash}")
    };
    let mut link = json!({
        "linkId": hash,
        "eventTypeId": bookable.event.id,
        "isExpired": false,
        "bookingUrl": url,
    });
    if expires_at.is_null() {
        link["maxUsageCount"] = json!(uses.as_u64().unwrap_or(1));
        link["usageCount"] = json!(0);
    } else {
        link["expiresAt"] = expires_at.clone();
    }
    created(link)
}

fn found<'a>(state: &'a State, id: &str) -> Result<&'a Bookable, Outcome> {
    let Ok(id) = id.parse::<u64>() else {
        return Err(invalid("Validation failed (numeric string is expected)"));
    };
    match state.bookable(id) {
        Some(bookable) => Ok(bookable),
        // Another account's.
        None if id < 1_000 => Err(forbidden("User is not allowed to access this event type")),
        None => Err(not_found(&format!("Event type with id {id} not found"))),
    }
}

fn view(state: &State, bookable: &Bookable) -> Value {
    let host = &state.config.host;
    let event = &bookable.event;
    let off = || json!({"disabled": true});
    let confirmation = if event.requires_confirmation {
        json!({"type": "always", "blockUnconfirmedBookingsInBooker": false})
    } else {
        off()
    };
    let seats = bookable.seats.map_or_else(off, |seats| {
        json!({
            "disabled": false, "seatsPerTimeSlot": seats,
            "showAttendeeInfo": true, "showAvailabilityCount": true,
        })
    });
    let recurrence = bookable.occurrences.map(|count| {
        json!({"disabled": false, "interval": 1, "occurrences": count, "frequency": "weekly"})
    });
    let mut view = json!({
        "id": event.id,
        "ownerId": host.id,
        "lengthInMinutes": bookable.minutes,
        "title": event.title,
        "slug": event.slug,
        "description": bookable.description,
        "locations": [location(&event.location)],
        "bookingFields": fields(bookable),
        "recurrence": recurrence,
        "disableGuests": false,
        "slotInterval": bookable.slot_interval,
        "minimumBookingNotice": bookable.notice_minutes,
        "beforeEventBuffer": bookable.buffer_before,
        "afterEventBuffer": bookable.buffer_after,
        "metadata": {},
        "price": bookable.price,
        "currency": "usd",
        "lockTimeZoneToggleOnBookingPage": false,
        "forwardParamsSuccessRedirect": true,
        "successRedirectUrl": null,
        "isInstantEvent": false,
        "users": [{
            "id": host.id, "name": host.name, "username": host.username, "avatarUrl": null,
            "brandColor": null, "darkBrandColor": null, "weekStart": "Monday", "metadata": {},
        }],
        "scheduleId": bookable.schedule,
    });
    let settings = json!({
        "onlyShowFirstAvailableSlot": false,
        "offsetStart": 0,
        "bookingWindow": off(),
        "confirmationPolicy": confirmation,
        "requiresBookerEmailVerification": false,
        "hideCalendarNotes": false,
        "seats": seats,
        "useDestinationCalendarEmail": false,
        "hideCalendarEventDetails": false,
        "hideOrganizerEmail": false,
        "calVideoSettings": {"sendTranscriptionEmails": true},
        "hidden": bookable.hidden,
        "bookingRequiresAuthentication": false,
        "bookerActiveBookingsLimit": off(),
        "bookingUrl": format!("{}/{}/{}", state.config.booking_base, host.username, event.slug),
        "disableCancelling": {"disabled": false},
        "disableRescheduling": {"disabled": false},
        "interfaceLanguage": null,
        "allowReschedulingPastBookings": false,
        "allowReschedulingCancelledBookings": false,
        "showOptimizedSlots": false,
    });
    join(&mut view, settings);
    if !bookable.lengths.is_empty() {
        view["lengthInMinutesOptions"] = json!(bookable.lengths);
    }
    if state.config.hosted {
        for setting in ["seats", "recurrence"] {
            if let Some(keys) = view[setting].as_object_mut()
                && keys.len() > 1
            {
                keys.remove("disabled");
            }
        }
        for (key, value) in [
            ("bookingProposalCount", Value::Null),
            ("skipAttendeeEmailDeliverabilityCheck", json!(false)),
            ("privateNoteEnabled", json!(false)),
            ("privateNoteMode", Value::Null),
            ("privateNoteTemplate", Value::Null),
        ] {
            view[key] = value;
        }
    }
    view
}

fn location(location: &str) -> Value {
    match location {
        "integrations:daily" => json!({"type": "integration", "integration": "cal-video"}),
        "phone" => json!({"type": "attendeePhone"}),
        link if link.starts_with("http") => json!({"type": "link", "link": link, "public": true}),
        address => json!({"type": "address", "address": address, "public": true}),
    }
}

fn fields(bookable: &Bookable) -> Value {
    let own = |kind: &str, slug: &str, required: bool, hidden: bool| {
        json!({
            "isDefault": true, "type": kind, "slug": slug, "required": required,
            "disableOnPrefill": false, "hidden": hidden,
        })
    };
    let mut fields = vec![
        json!({
            "isDefault": true, "type": "name", "slug": "name", "required": true,
            "label": "your_name", "disableOnPrefill": false,
        }),
        own("email", "email", true, false),
        json!({
            "isDefault": true, "type": "radioInput", "slug": "location", "required": false,
            "hidden": false,
        }),
    ];
    for question in &bookable.questions {
        let mut field = json!({
            "isDefault": false, "type": "text", "slug": question.slug, "label": question.label,
            "required": question.required, "placeholder": "", "disableOnPrefill": false,
            "hidden": false,
        });
        if !question.options.is_empty() {
            field["type"] = json!("select");
            field["options"] = json!(question.options);
        }
        fields.push(field);
    }
    fields.extend([
        own("text", "title", true, true),
        own("textarea", "notes", false, false),
        own("multiemail", "guests", false, false),
        own("textarea", "rescheduleReason", false, false),
    ]);
    Value::Array(fields)
}
