#include "cms/finding.h"

#include <fmt/format.h>

#include <algorithm>

namespace p11mime::cms {

namespace {

constexpr Reasons kHoldReason = 1 << 6;  // certificateHold
constexpr auto kRememberedAtLeast = std::chrono::days(366);

std::string since_text(const Revoked& told) {
    if (!told.other.empty())
        return fmt::format("not to be relied on: others may know its key, as {} is revoked since {} ({})", told.other,
                           format_time(told.since), told.reason);
    std::string text = told.since == Time::min() ? std::string("revoked") : "revoked since " + format_time(told.since);
    if (!told.reason.empty()) text += fmt::format(" ({})", told.reason);
    return text;
}

// says_more: what the key is worth counts most, and since when it is known.
bool says_more(const Revoked& told, const Revoked& than) {
    return told.cause != than.cause ? told.cause > than.cause : told.since < than.since;
}

}  // namespace

bool Finding::future(Time time) const {
    return time > now_ + kClockSkew;
}

bool Finding::recent(Time time) const {
    return time >= now_ - kClockSkew;
}

bool Finding::of_today(Time time) const {
    return time >= now_ - std::chrono::days(1);
}

std::string Finding::stale_reason(Time begins, std::optional<Time> ends, bool live) const {
    if (future(begins)) return fmt::format("is not valid before {}", format_time(begins));
    if (begins >= at_ || live) return {};
    if (!ends) return "does not say until when it holds";
    return *ends < at_ ? fmt::format("has ended on {}", format_time(*ends)) : "";
}

void Finding::note_revoked(const Revoked& told, Time of, bool current) {
    if (!in_force(told.since)) {
        if (current || !told.on_hold) note_later(told, of);
        return;
    }
    since_ = std::min(since_, told.since);
    cause_ = std::max(cause_, told.cause);
    if (!told.on_hold) {
        if (!worst_ || says_more(told, *worst_)) worst_ = told;
        revoked_ = since_text(*worst_);
        revoked_of_the_time_ = revoked_of_the_time_ || (at_ >= now_ ? current : of >= at_);
    } else {
        const Hold hold{of, since_text(told)};
        if (!hold_ || hold_->of < of) hold_ = hold;
        if (current && (!hold_in_force_ || hold_in_force_->of < of)) hold_in_force_ = hold;
    }
}

void Finding::note_answer(const Revoked& told, Time of, bool current) {
    const bool unexplained = told.cause == Cause::other && told.reason.empty() && !told.on_hold;
    if (unexplained && in_force(told.since))
        unexplained_.push_back({told, of, current});
    else
        note_revoked(told, of, current);
}

void Finding::note_retirement(const Revoked& told, Time begins, std::optional<Time> ends) {
    const bool of_the_time = at_ >= now_ || begins >= at_;
    if (told.cause <= Cause::unspecified && in_force(told.since) && of_the_time && in_force_now(begins, ends))
        retired_.push_back(told.since);
}

void Finding::weigh_unexplained() {
    for (const auto& [told, of, current] : unexplained_) {
        const auto same = [since = told.since](Time other) {
            return since <= other + kClockSkew && other <= since + kClockSkew;
        };
        if (std::ranges::none_of(retired_, same))
            note_revoked(told, of, current);
        else
            since_ = std::min(since_, told.since);
    }
}

// A hold says less than what is for good.
void Finding::note_later(const Revoked& told, Time of) {
    const auto weight = [](const Revoked& each) { return std::pair(!each.on_hold, each.cause); };
    if (!later_ || weight(*later_) < weight(told)) later_ = told;
    if (told.on_hold) later_hold_ = std::max(later_hold_, of);
}

void Finding::keep(Bytes der, std::optional<Time> until) {
    if (until) kept.emplace_back(std::move(der), *until);
}

void Finding::remember(Telling telling) {
    const Time until = needed_until(telling.ends);
    revoking.emplace_back(std::move(telling), until);
}

Time Finding::needed_until(std::optional<Time> ends) const {
    return std::max({ends.value_or(ends_), ends_, now_ + kRememberedAtLeast});
}

void Finding::heed_remembered(const Telling& telling) {
    note_answer(telling.revoked, telling.of, stale_reason(telling.of, telling.ends).empty());
}

void Finding::heed_released(Time of) {
    note_not_held(kHoldReason, of);
    released_ = std::max(released_, of);
}

void Finding::note_doubt(Time of, std::string reason) {
    if (!doubt_ || doubt_->of < of) doubt_ = Doubt{of, std::move(reason)};
}

bool Finding::holds_now(Time begins, std::optional<Time> ends) const {
    return in_force_now(begins, ends) && ends_ >= now_;
}

bool Finding::in_force_now(Time begins, std::optional<Time> ends) const {
    return ends && *ends >= now_ && !future(begins);
}

void Finding::note_not_held(Reasons reasons, Time of) {
    if ((reasons & kHoldReason) != 0 && !future(of)) not_held_ = std::max(not_held_, of);
}

// Where the judged time is now, nothing can be of later.
void Finding::add_good(Reasons reasons, Time of, bool holds_now) {
    covered_ |= reasons;
    if (of >= at_ || at_ >= now_ || holds_now) covered_by_then_ |= reasons;
    for (std::size_t bit = 0; bit < kReasonBits; ++bit)
        if ((reasons >> bit & 1) != 0) newest_[bit] = std::max(newest_[bit], of);
}

// newest is since when there is something that says of none of some reasons that it is revoked.
Time Finding::newest(Reasons reasons) const {
    Time all = Time::max();
    for (std::size_t bit = 0; bit < kReasonBits; ++bit)
        if ((reasons >> bit & 1) != 0) all = std::min(all, newest_[bit]);
    return all;
}

void Finding::forget_good(const Doubt& doubt) {
    covered_ = covered_by_then_ = 0;
    answered_good = false;
    notes.insert(notes.begin(), fmt::format("it {} at {}, and nothing newer that counts tells of it", doubt.reason,
                                            format_time(doubt.of)));
}

void Finding::weigh_doubts() {
    weigh_unexplained();
    if (later_ && later_->on_hold && later_hold_ < std::max(newest(kHoldReason), released_)) later_.reset();
    if (doubt_ && covered_ != 0 && doubt_->of >= newest(kAllReasons)) forget_good(*doubt_);
    if (!hold_ || released()) return;
    const bool counts = hold_in_force_ && !lifted(*hold_in_force_) && hold_in_force_->of >= released_;
    const bool last_known = hold_->of >= not_held_ && !future(hold_->of);
    if (!revoked() && (counts || last_known)) {
        revoked_ = counts ? hold_in_force_->text
                          : fmt::format("{}, as of {}; nothing newer tells of it", hold_->text, format_time(hold_->of));
        held_ = true;
        hold_ended_ = !counts;
    }
    forget_good({hold_->of, "was " + hold_->text});
}

bool Finding::lifted(const Hold& hold) const {
    return good() && hold.of < newest(kHoldReason);
}

std::optional<Time> Finding::released() const {
    return hold_ && lifted(*hold_) ? std::optional(newest(kHoldReason)) : std::nullopt;
}

std::string Finding::good_remark() const {
    if (!earlier()) return {};
    return fmt::format("known not to be revoked as of {}, which is before the time that counts",
                       format_time(newest(kAllReasons)));
}

std::string Finding::unknown_reason() const {
    if (!notes.empty()) return notes.front();
    return covered_ == 0 ? "" : "the CRLs at hand tell of some reasons alone";
}

}  // namespace p11mime::cms
