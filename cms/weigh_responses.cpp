#include "cms/weigh_responses.h"

#include <fmt/format.h>

#include <algorithm>

namespace p11mime::cms {

namespace {

using Status = OcspAnswer::Status;

// leaves_out says whether a responder need not tell of a certificate, which had ended before.
bool leaves_out(const OcspAnswer& answer, const Certificate& certificate) {
    return certificate.not_after() < answer.this_update &&
           !(answer.keeps_ended_since && *answer.keeps_ended_since <= certificate.not_after());
}

// weigh_answer gives why an answer that has not ended tells nothing.
std::string weigh_answer(const Certificate& certificate, const OcspAnswer& answer, bool carried, Finding& finding) {
    if (answer.status == Status::revoked && finding.in_force(answer.since)) return {};
    if (answer.status != Status::revoked && leaves_out(answer, certificate))
        return "the certificate had ended before, and it need not tell of those";
    if (answer.status == Status::unknown) {
        finding.note_doubt(answer.this_update, "was not known to its responder");
        return "its responder does not know the certificate";
    }
    finding.answered_good = true;
    finding.add_good(kAllReasons, answer.this_update,
                     !carried && finding.holds_now(answer.this_update, answer.next_update));
    return {};
}

std::string does_not_count(const OcspResponse& response, const std::string& why) {
    return fmt::format("the OCSP response of {} does not count: {}", format_time(response.produced_at()), why);
}

// note_unsigned heeds that a response tells a certificate to be revoked whose signer is not known: it may be true,
// which is told before all else.
void note_unsigned(const OcspResponse& response, const std::vector<OcspAnswer>& answers, const std::string& why,
                   Finding& finding) {
    const auto revokes = [&](const OcspAnswer& answer) {
        return answer.status == Status::revoked && !finding.future(answer.this_update);
    };
    const auto told = std::ranges::find_if(answers, revokes);
    if (told == answers.end()) return finding.notes.push_back(does_not_count(response, why));
    finding.note_doubt(told->this_update,
                       fmt::format("was told to be revoked in a response that does not count ({})", why));
    finding.notes.insert(finding.notes.begin(), "it is told to be revoked, but " + does_not_count(response, why));
}

// weigh_response gives why a response tells nothing. What it says is revoked is so whoever has asked, and whatever the
// time.
std::string weigh_response(const Certificate& certificate, const EvidenceContext& context,
                           const RevocationEvidence::Ocsp& ocsp, const std::vector<OcspAnswer>& answers, bool carried,
                           Finding& finding) {
    const auto& [response, request] = ocsp;
    if (!response.defect().empty()) return response.defect();
    const auto nonce = request.empty() ? OcspResponse::Nonce::absent : response.nonce(request);
    const EvidenceSigner signer = ocsp_signer(response, context, carried);
    if (!signer.certificate) {
        if (carried) return signer.reason;
        note_unsigned(response, answers, signer.reason, finding);
        return {};
    }
    std::string why;
    for (const OcspAnswer& answer : answers) {
        const bool just_made = !request.empty() && finding.recent(answer.this_update);
        // What was signed just now may be known from long ago (RFC 6960 section 3.2).
        const bool live = (nonce == OcspResponse::Nonce::same || just_made) && !answer.next_update &&
                          finding.of_today(answer.this_update);
        std::string useless = finding.stale_reason(answer.this_update, answer.next_update, live);
        if (!useless.empty()) useless = "it " + useless;
        if (answer.next_update && *answer.next_update < answer.this_update) useless = "it ends before it begins";
        if (finding.future(response.produced_at())) useless = "it is of the future";
        const bool revokes = answer.status == Status::revoked && (signer.reason.empty() || !answer.on_hold);
        if (revokes) {
            const Revoked told{answer.since, answer.reason, answer.cause, answer.on_hold};
            finding.note_answer(told, answer.this_update, useless.empty());
            if (!carried) finding.remember({told, answer.this_update, answer.next_update});
        }
        if (nonce == OcspResponse::Nonce::other) useless = "it answers another request";
        if (!signer.reason.empty()) useless = signer.reason;
        if (carried && context.carried_doubtful) useless = kMadeByOthers;
        const bool told_by_who_may = signer.reason.empty() && !(carried && context.carried_doubtful);
        if (answer.status == Status::good && told_by_who_may && !leaves_out(answer, certificate))
            finding.note_not_held(kAllReasons, answer.this_update);
        const bool counts = useless.empty();
        if (counts) useless = weigh_answer(certificate, answer, carried, finding);
        if (!useless.empty()) why = useless;
        if (useless.empty() || (counts && answer.status == Status::unknown))
            finding.keep(response.der(), answer.next_update);
    }
    return why;
}

void weigh_each(const Certificate& certificate, const EvidenceContext& context,
                const std::vector<RevocationEvidence::Ocsp>& responses, bool carried, Finding& finding) {
    std::size_t tried = 0;
    for (const RevocationEvidence::Ocsp& ocsp : responses) {
        const auto answers = ocsp.response.answers(certificate, context.issuer);
        std::string why;
        if (!answers.empty()) {
            if (carried && ++tried > kMaxCarriedTried) continue;
            why = weigh_response(certificate, context, ocsp, answers, carried, finding);
        } else if (!ocsp.request.empty()) {
            why = "it is about another certificate";
        }
        if (!why.empty()) finding.notes.push_back(does_not_count(ocsp.response, why));
    }
}

}  // namespace

void weigh_responses(const Certificate& certificate, const EvidenceContext& context,
                     const std::vector<RevocationEvidence::Ocsp>& own,
                     const std::vector<RevocationEvidence::Ocsp>& carried, Finding& finding) {
    weigh_each(certificate, context, own, false, finding);
    weigh_each(certificate, context, carried, true, finding);
}

}  // namespace p11mime::cms
