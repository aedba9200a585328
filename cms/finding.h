#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cms/crl.h"
#include "cms/sources.h"

namespace p11mime::cms {

/// kMaxCarriedTried is how many CRLs, and how many responses, that came along are looked at for one certificate, so
/// that none of them pushes out others.
inline constexpr std::size_t kMaxCarriedTried = 32;

/// Finding is what the evidence says of one certificate so far, at the time that is judged.
class Finding {
  public:
    Finding(const Certificate& certificate, Time at, Time now)
        : ends_(certificate.not_after()), authority_(certificate.is_ca()), at_(at), now_(now) {
        newest_.fill(Time::min());
    }

    /// in_force says whether a revocation since a time counts at the judged time. Now, any does: clocks differ, and
    /// whoever signs it ahead of time has a reason.
    bool in_force(Time since) const { return since <= at_ || at_ >= now_; }
    /// future says whether a time is one that evidence cannot be of, clocks being as different as they may.
    bool future(Time time) const;
    /// recent says whether evidence of a time was made just now.
    bool recent(Time time) const;
    /// of_today says whether evidence tells what was known a day ago at most.
    bool of_today(Time time) const;
    /// stale_reason says why evidence is not of the judged time or later; empty where it is. `live` was made for this.
    std::string stale_reason(Time begins, std::optional<Time> ends, bool live = false) const;

    /// note_revoked heeds what evidence of a time says of a certificate that it tells to be revoked: that stays so,
    /// however old it is, unless it is a hold. `current` is evidence that has not ended.
    void note_revoked(const Revoked& told, Time of, bool current);
    /// note_answer heeds likewise what a response tells, or is remembered. Many responders give no reasons: that there
    /// is none says nothing where note_retirement is told of one for the same revocation.
    void note_answer(const Revoked& told, Time of, bool current);
    /// note_retirement heeds for what reason a CRL lists a certificate, where that leaves its key as good as before.
    /// One that has ended may not tell what became known since, and shows no retirement.
    void note_retirement(const Revoked& told, Time begins, std::optional<Time> ends);
    /// note_doubt heeds that evidence of a time leaves open whether the certificate is revoked, for a reason that reads
    /// on after "it": older evidence makes nothing good then.
    void note_doubt(Time of, std::string reason);
    /// holds_now says whether what holds from a time to another says as much of the judged time as it does of now: it
    /// has not ended, nor has the certificate, which later evidence may leave out.
    bool holds_now(Time begins, std::optional<Time> ends) const;
    /// add_good notes that evidence of a time says that the certificate is not revoked for some reasons. `holds_now`
    /// is that of what did not come along: whoever took a key has that from before it was revoked.
    void add_good(Reasons reasons, Time of, bool holds_now);
    /// note_not_held heeds that evidence of a time, which may have ended, says that the certificate is not on hold.
    void note_not_held(Reasons reasons, Time of);
    /// keep notes evidence (DER) that was signed by who may, to be kept until it ends.
    void keep(Bytes der, std::optional<Time> until);
    /// remember notes what evidence that was signed likewise tells of a revocation.
    void remember(Telling telling);
    /// heed_remembered heeds what was told before, and heed_released likewise that it is no longer on hold: no hold
    /// from before that counts, but nothing is good for that.
    void heed_remembered(const Telling& telling);
    void heed_released(Time of);
    /// needed_until is how long what is told of it is needed: as long as it or the evidence lasts, and for a year, mail
    /// being verified later too.
    Time needed_until(std::optional<Time> ends = {}) const;
    /// weigh_doubts comes last: a hold counts until something newer that tells of holds says otherwise. Where both have
    /// ended, neither counts; where that alone has, the hold does.
    void weigh_doubts();

    bool revoked() const { return !revoked_.empty(); }
    bool good() const { return covered_ == kAllReasons; }
    bool decided() const { return revoked() || good(); }
    bool held() const { return hold_.has_value(); }  ///< at some time
    /// hold_ended says whether it is revoked in that it is on hold, which newer evidence may tell otherwise.
    bool hold_ended() const { return hold_ended_; }
    /// released is of when the evidence is that says that it is no longer on hold; nothing where it never was, or is.
    std::optional<Time> released() const;
    /// key_compromised says whether it is revoked because others know its key.
    bool key_compromised() const {
        return revoked() &&
               (cause_ == Cause::key_compromised || (cause_ == Cause::authority_compromised && authority_));
    }
    /// retired_since is since when it is revoked, where its key is as good as before.
    std::optional<Time> retired_since() const {
        const bool good_key = cause_ == Cause::orderly || (cause_ == Cause::unspecified && !authority_);
        return revoked() && good_key ? std::optional(since_) : std::nullopt;
    }
    /// revoked_of_the_time says whether evidence of the judged time or later tells so, or of now that has not ended.
    bool revoked_of_the_time() const { return revoked_of_the_time_; }
    const std::string& revoked_text() const { return revoked_; }  ///< since when and why
    /// revoked_later is what is told of a revocation after the judged time.
    const std::optional<Revoked>& revoked_later() const { return later_; }
    /// good_as_of is what the oldest is of that makes it good.
    Time good_as_of() const { return newest(kAllReasons); }
    /// good_remark is what is to be known of a good certificate; may be empty.
    std::string good_remark() const;
    /// earlier says whether what makes it good is from before the judged time, in the past, and does not hold now.
    bool earlier() const { return covered_by_then_ != kAllReasons; }
    /// of_the_time says whether what makes it good is of the judged time or later, as far as that is in the past.
    bool of_the_time() const { return at_ >= now_ || newest(kAllReasons) >= at_; }
    /// answered says whether newer evidence can tell nothing worse or better: a hold may have been lifted since, and a
    /// certificate that was retired be known since as one whose key is others'.
    bool answered() const {
        if (revoked()) return !held_ && (key_compromised() || revoked_of_the_time_);
        return good() && of_the_time();
    }
    /// settled says whether other kinds of evidence cannot either: most responders tell neither for what reason a
    /// certificate is revoked nor since when its key may be others', and CRLs do.
    bool settled() const {
        const bool leaves_open =
            revoked() ? worst_ && worst_->reason.empty() : later_ && later_->cause != Cause::orderly;
        return answered() && (listed || !leaves_open);
    }
    /// unknown_reason is why it is neither; empty where there is no evidence.
    std::string unknown_reason() const;

    /// Lack is where a delta CRL is to be had that is not at hand.
    enum class Lack {
        none,
        nowhere,    ///< no server is named that could be asked
        at_server,  ///< somebody may keep it from us
    };

    bool answered_good = false;                      ///< by an OCSP response
    bool listed = false;                             ///< by a CRL
    std::vector<std::string> notes;                  ///< why evidence does not count
    std::vector<Crl> without_delta;                  ///< those that no delta at hand completed, and that have some
    Lack lack_of_delta = Lack::none;                 ///< of those, but where an older one tells that there is no newer
    bool superseded = false;                         ///< there is a newer CRL than one of those at hand
    std::vector<std::pair<Bytes, Time>> kept;        ///< evidence to keep (DER), and until when
    std::vector<std::pair<Telling, Time>> revoking;  ///< what to remember, likewise

  private:
    struct Hold {
        Time of;  // as evidence of a time says
        std::string text;
    };
    struct Answer {
        Revoked told;
        Time of;
        bool current;
    };
    struct Doubt {
        Time of;
        std::string reason;
    };
    static constexpr std::size_t kReasonBits = 9;

    void note_later(const Revoked& told, Time of);
    void weigh_unexplained();
    bool in_force_now(Time begins, std::optional<Time> ends) const;
    Time newest(Reasons reasons) const;
    void forget_good(const Doubt& doubt);
    bool lifted(const Hold& hold) const;

    Time ends_;
    bool authority_;
    Time at_;
    Time now_;
    std::string revoked_;
    std::optional<Revoked> worst_;          // of what tells so, that says most against it
    Time since_ = Time::max();              // revoked, as far as that is in force
    Cause cause_ = Cause::orderly;          // likewise, of all that tells so
    std::vector<Answer> unexplained_;       // that give no reason
    std::vector<Time> retired_;             // since when it is, by the CRLs that give a reason for that
    bool held_ = false;                     // it is revoked in that it is on hold
    bool hold_ended_ = false;               // and what tells so has ended
    bool revoked_of_the_time_ = false;      // it is not, as evidence of the judged time or later tells
    Reasons covered_ = 0;                   // for which something says that it is not revoked
    Reasons covered_by_then_ = 0;           // likewise, by evidence of the judged time or later, or that holds now
    std::array<Time, kReasonBits> newest_;  // of what says so, by reason
    std::optional<Revoked> later_;          // after the judged time
    Time later_hold_ = Time::min();         // of the newest evidence that says so of a hold
    std::optional<Hold> hold_;              // the newest
    std::optional<Hold> hold_in_force_;     // likewise, of evidence that has not ended
    std::optional<Doubt> doubt_;            // likewise
    Time not_held_ = Time::min();           // of the newest evidence that says so of holds
    Time released_ = Time::min();           // likewise, as is remembered
};

}  // namespace p11mime::cms
