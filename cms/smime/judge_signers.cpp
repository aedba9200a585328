#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <span>

#include "cms/attributes.h"
#include "cms/carried_evidence.h"
#include "cms/identifiers.h"
#include "cms/inherited_key.h"
#include "cms/named_certificates.h"
#include "cms/signing_certificate.h"
#include "cms/smime/judge.h"
#include "cms/smime/uncounted_timestamps.h"
#include "mime/limit.h"

namespace p11mime::cms::smime {

namespace {

constexpr std::size_t kMaxCountersignatures = 20;  // of one message; each may cost a path validation
constexpr std::size_t kMaxCountersignatureDepth = 4;
constexpr std::size_t kMaxTimestamps = 20;  // of one message; likewise

void set_chain(SignerVerdict& verdict, const PathVerdict& path) {
    verdict.chain = path.trusted ? ChainState::trusted : ChainState::untrusted;
    if (!path.trusted) {
        verdict.chain_reason = path.reason;
        verdict.chain_hint = path.hint;
    }
    verdict.chain_certs = path.chain;
    verdict.chain_anchored = path.anchored;
    verdict.chain_fault = path.at_fault;
    if (path.trusted && path.chain.size() > 2)
        verdict.intermediates.assign(path.chain.begin() + 1, path.chain.end() - 1);
    verdict.off_purpose = path.trusted && !path.purpose_remark.empty();
    if (path.weak) verdict.strength = Strength::weak;
    verdict.revocation = revocation_of(path.revocation);
    if (!path.revocation_reason.empty()) verdict.revocation_reason = path.revocation_reason;
    verdict.revoked_since = path.revoked_since;
}

SignerVerdict describe(const asn1::SignerInfo& signer, const SignerInfoVerdict& judged,
                       const SignedDataReader& reader) {
    SignerVerdict verdict;
    verdict.identifier = asn1::identifier(*signer.sid).text();
    verdict.integrity = judged.integrity;
    if (!judged.reason.empty()) verdict.integrity_reason = judged.reason;
    verdict.strength = judged.weak ? Strength::weak : Strength::ok;
    verdict.digest = judged.digest;
    verdict.signature = judged.signature;
    verdict.ess = judged.ess;
    verdict.signed_attributes = judged.signed_attributes;
    verdict.unsigned_attributes = judged.unsigned_attributes;
    verdict.signing_time = judged.signing_time;
    if (judged.integrity != Integrity::valid) return verdict;  // the rest is acted upon, so it must be signed
    verdict.capabilities = judged.capabilities;
    if (judged.encryption_key)
        for (const Certificate& each : reader.certificates())
            if (judged.encryption_key->matches(each)) verdict.encryption_certificate = each;
    return verdict;
}

// Judge gives verdicts on the SignerInfos of one SignedData and on their countersignatures.
class Judge {
  public:
    Judge(const SignedDataReader& reader, const Trust* trust, const Sender& sender, Workload& workload)
        : reader_(reader), trust_(trust), sender_(sender), workload_(workload) {
        if (trust == nullptr) return;
        quiet_ = asking_nobody(*trust);
        if (trust->revocation) carried_ = carried_evidence(reader);
    }

    JudgedSigners run(const SignedContent& content) {
        std::vector<const Trust*> trusts;
        for (const auto& signer : reader_.signers()) {
            SignerInfoVerdict info;
            workload_.add_verifications(1);
            SignerVerdict verdict = judge(*signer, content, trust_, info);
            if (info.missing_digest) judged_.missing_digests.insert(*info.missing_digest);
            if (info.unsupported) unsupported_ = info.reason;
            if (verdict.certificate && trust_ != nullptr) verdict.sender = judge_sender(*verdict.certificate, sender_);
            note_later_claim(*signer, verdict);
            judged_.verdicts.push_back(std::move(verdict));
            trusts.push_back(trust_of(info, trust_));
        }
        // Whom others name may take the time that servers have for a mail.
        for (std::size_t i = 0; i < trusts.size(); ++i)
            judged_.verdicts[i].countersignatures = countersignatures(*reader_.signers()[i], trusts[i], 1);
        const bool none_checked =
            std::all_of(judged_.verdicts.begin(), judged_.verdicts.end(),
                        [](const SignerVerdict& each) { return each.integrity == Integrity::not_checked; });
        if (none_checked && trust_ != nullptr) judged_.all_unsupported = unsupported_;
        if (left_out_)
            judged_.warnings.push_back(
                {"countersignatures",
                 "there are more countersignatures than the limit; the others were not looked at"});
        if (too_many_timestamps_)
            judged_.warnings.push_back(
                {"timestamps", "there are more time-stamps than the limit; the others were not looked at"});
        for (const SignerVerdict& each : judged_.verdicts)
            warn_of_timestamps(each);
        return std::move(judged_);
    }

  private:
    void warn_once(const Warning& warning) {
        if (std::ranges::find(judged_.warnings, warning) == judged_.warnings.end()) judged_.warnings.push_back(warning);
    }

    void warn_of_timestamps(const SignerVerdict& signer) {
        if (trust_ == nullptr) return;
        for (const TimestampVerdict& each : signer.timestamps)
            if (each.integrity != Integrity::valid)
                judged_.warnings.push_back({"timestamps", fmt::format("a time-stamp does not count: {}", each.reason)});
    }

    // note_later_claim: what is signed later than the time asked for was not there then, though the certificates held.
    void note_later_claim(const asn1::SignerInfo& signer, SignerVerdict& verdict) {
        if (verdict.integrity != Integrity::valid || verdict.chain != ChainState::trusted || !trust_->at) return;
        const auto claimed = claimed_time(signer);
        verdict.claims_later = claimed && *claimed > *trust_->at;
        if (verdict.claims_later)
            warn_once({"signed-later",
                       fmt::format("the signature claims to be made at {}, after {}, the time that it is checked for: "
                                   "the certificates need not have held when it was made",
                                   format_time(*claimed), format_time(*trust_->at))});
    }

    // trust_of asks nobody about a signature that does not verify: whoever changes a mail on its way would learn that
    // it was read.
    const Trust* trust_of(const SignerInfoVerdict& info, const Trust* trust) const {
        return trust != nullptr && info.integrity != Integrity::valid ? &*quiet_ : trust;
    }

    // judge leaves sender and countersignatures to its callers. Without trust nothing is verified.
    SignerVerdict judge(const asn1::SignerInfo& signer, const SignedContent& content, const Trust* trust,
                        SignerInfoVerdict& info) {
        const auto [candidates, hidden] = signer_of(signer, content, trust);
        std::optional<Certificate> certificate;
        if (!candidates.empty()) certificate = candidates.front();
        Standing standing;
        // A key that inherits its parameters has them from its path, without which nothing can be verified.
        const bool inherits = certificate && trust != nullptr && lacks_parameters(*certificate);
        if (inherits) standing = stand(signer, *certificate, &*quiet_);
        info = judge_signer_info(signer, content, certificate ? &*certificate : nullptr, standing.inherited_key());
        if (hidden && !info.unsupported)
            info.reason =
                fmt::format("of the many certificates that claim the key {}, none that was tried is the signer's",
                            asn1::identifier(*signer.sid).text());
        trust = trust_of(info, trust);
        if (!inherits || trust != &*quiet_) standing = stand(signer, certificate, trust);
        if (info.integrity == Integrity::valid && trust != nullptr)
            if (auto other = trusted_other(signer, candidates, *trust, standing)) {
                certificate = std::move(other->certificate);
                standing.path = std::move(other->path);
            }
        if (certificate && trust != nullptr) refuse_early(standing.timestamps, *certificate);
        if (standing.path && info.integrity == Integrity::valid && !trust->at)
            explain_by_timestamps(standing.path->verdict, standing.timestamps, trust->clock->now());
        if (trust == nullptr) {
            info.integrity = Integrity::not_checked;
            info.reason.clear();
        }
        SignerVerdict verdict = describe(signer, info, reader_);
        const auto& path = standing.path;
        verdict.certificate = certificate;
        verdict.timestamps = std::move(standing.timestamps);
        if (trust != nullptr) {
            verdict.time_basis = path && path->timestamp ? "timestamp" : trust->at ? "given" : "now";
            verdict.time_at = path && path->timestamp ? *path->timestamp : trust->at.value_or(trust->clock->now());
        }
        if (path) set_chain(verdict, path->verdict);
        if (path && path->verdict.trusted && !path->verdict.policy_remark.empty())
            judged_.warnings.push_back({"policy", path->verdict.policy_remark});
        for (const RevokedSince& each : verdict.revoked_since)
            warn_once({"revoked-since", each.text()});
        if (verdict.off_purpose) judged_.warnings.push_back({"purpose", path->verdict.purpose_remark});
        if (certificate)
            verdict.certificate_class =
                classify(*certificate, path ? path->verdict.policies : std::vector<std::string>{});
        return verdict;
    }

    // Found is whose signature it is, with certificates that explain it as well, or that it is nobody's of the many who
    // claim to have its key: whoever is on the way of a mail may have added those.
    struct Found {
        std::vector<Certificate> certificates;
        bool hidden = false;
    };

    // signer_of finds the certificate. Of several that it may be, all that verify have the same key.
    Found signer_of(const asn1::SignerInfo& signer, const SignedContent& content, const Trust* trust) {
        const auto [named, too_many] = find_certificates(asn1::identifier(*signer.sid), reader_.certificates(), trust);
        if (named.empty()) return {};
        if (named.size() == 1 || trust == nullptr) return {{named.front()}};
        std::vector<int> ranks;
        for (const Certificate& each : named)
            ranks.push_back(rank(each, signer, content, trust->at));
        const int best = *std::ranges::max_element(ranks);
        if (best == 0) return too_many ? Found{{}, true} : Found{{named.front()}};
        Found found;
        for (std::size_t i = 0; i < named.size(); ++i)
            if (ranks[i] == best) found.certificates.push_back(named[i]);
        return found;
    }

    // rank says how well a certificate explains a signature: it verifies, is trusted, is of who sent the mail.
    int rank(const Certificate& certificate, const asn1::SignerInfo& signer, const SignedContent& content,
             std::optional<Time> at) {
        const auto verifies = [&](const EVP_PKEY* key) {
            workload_.add_verifications(1);
            return judge_signer_info(signer, content, &certificate, key).integrity == Integrity::valid;
        };
        const bool inherits = lacks_parameters(certificate);
        if (!inherits && !verifies(nullptr)) return 0;
        const PathVerdict path = path_at(certificate, *quiet_, carried_, at, claimed_time(signer));
        if (inherits && !(path.completed && verifies(X509_get0_pubkey(path.completed->get())))) return 0;
        return 1 + (path.trusted ? 4 : 0) + (judge_sender(certificate, sender_) == SenderState::match ? 2 : 0);
    }

    // JudgedPath is a signer's path, and the time-stamp whose time it was judged at, if any.
    struct JudgedPath {
        PathVerdict verdict;
        std::optional<Time> timestamp;
    };

    // Standing is what there is to trust a signature for.
    struct Standing {
        std::vector<TimestampVerdict> timestamps;
        std::optional<JudgedPath> path;

        const EVP_PKEY* inherited_key() const {
            return path && path->verdict.completed ? X509_get0_pubkey(path->verdict.completed->get()) : nullptr;
        }
    };

    Standing stand(const asn1::SignerInfo& signer, const std::optional<Certificate>& certificate, const Trust* trust) {
        const RevocationEvidence carried = trust == nullptr ? RevocationEvidence{} : evidence_along(signer, *trust);
        const bool judges = certificate && trust != nullptr;
        if (judges && trust->revocation) trust->revocation->begin();
        // Whom a time-stamp names may take the time that servers have for a mail.
        PathVerdict now;
        if (judges) now = path_at(*certificate, *trust, carried, trust->at, claimed_time(signer));
        Standing standing{judge_timestamps(signer, trust, carried), std::nullopt};
        if (!judges) return standing;
        standing.path = judge_path(*certificate, std::move(now), *trust, carried, standing.timestamps, signer);
        return standing;
    }

    // A time-stamp from before the certificate proves nothing: for a value that was stamped once, one can make a key
    // of which it is the signature of any text.
    static void refuse_early(std::vector<TimestampVerdict>& timestamps, const Certificate& certificate) {
        for (TimestampVerdict& each : timestamps) {
            if (each.integrity != Integrity::valid || *each.time + kClockSkew >= certificate.not_before()) continue;
            each.integrity = Integrity::invalid;
            each.reason = fmt::format("it is from before the certificate of {}", display_name(certificate));
        }
    }

    // Other is another certificate of a signer, and its path.
    struct Other {
        Certificate certificate;
        JudgedPath path;
    };

    // trusted_other is the first that is trusted of the certificates that explain a signature as well as the first of
    // them, which is not: that may have been renewed and revoked since. Where others know its key, none is.
    std::optional<Other> trusted_other(const asn1::SignerInfo& signer, const std::vector<Certificate>& candidates,
                                       const Trust& trust, const Standing& standing) {
        if (candidates.size() < 2 || standing.path->verdict.trusted || standing.path->verdict.key_compromised)
            return {};
        Trust at_hand = trust;
        at_hand.issuers = nullptr;
        const RevocationEvidence carried = evidence_along(signer, trust);
        for (const Certificate& each : std::span(candidates).subspan(1)) {
            PathVerdict now = path_at(each, at_hand, carried, trust.at, claimed_time(signer));
            JudgedPath path = judge_path(each, std::move(now), at_hand, carried, standing.timestamps, signer);
            if (path.verdict.trusted) return Other{each, std::move(path)};
        }
        return {};
    }

    // evidence_along is what came along with a signature.
    RevocationEvidence evidence_along(const asn1::SignerInfo& signer, const Trust& trust) const {
        RevocationEvidence carried = carried_;
        if (trust.revocation) carried.add(archived_evidence(signer));
        return carried;
    }

    // A path that does not hold now, because something in it has ended or was revoked since, may hold at the time of a
    // time-stamp: the signature was there by then, and so was what it is over.
    JudgedPath judge_path(const Certificate& certificate, PathVerdict path_now, const Trust& trust,
                          const RevocationEvidence& carried, const std::vector<TimestampVerdict>& timestamps,
                          const asn1::SignerInfo& signer) {
        JudgedPath now{std::move(path_now), std::nullopt};
        if (now.verdict.trusted || trust.at) return now;
        Trust stamped = trust;
        stamped.stamped = true;
        stamped.stamped_certificates = signed_certificates(signer);
        // That it was retired since is nothing against the time-stamp.
        const int told_now = now.verdict.retired_since ? 0 : std::min(told_by(now.verdict), 1);
        std::optional<JudgedPath> best;
        for (const Time time : earliest_first(timestamps)) {
            JudgedPath then{path_at(certificate, stamped, carried, time, claimed_time(signer)), time};
            if (then.verdict.trusted) return then;
            const int told = best ? told_by(best->verdict) : told_now;
            if (told_by(then.verdict) > told) best = std::move(then);
        }
        return best ? std::move(*best) : std::move(now);
    }

    // told_by says how much a path that fails tells of what has happened since.
    static int told_by(const PathVerdict& path) {
        if (path.unproven || path.revocation == RevocationState::revoked) return 2;
        return path.revocation == RevocationState::unknown ? 1 : 0;
    }

    static std::vector<Time> earliest_first(const std::vector<TimestampVerdict>& timestamps) {
        std::vector<Time> times;
        for (const TimestampVerdict& each : timestamps)
            if (each.integrity == Integrity::valid) times.push_back(*each.time);
        std::sort(times.begin(), times.end());
        return times;
    }

    PathVerdict path_at(const Certificate& certificate, Trust trust, const RevocationEvidence& carried,
                        std::optional<Time> at, std::optional<Time> claimed) {
        trust.at = at;
        PathVerdict path = validate(certificate, reader_.certificates(), trust, Use::signing, claimed, carried);
        workload_.add_verifications(path.verifications);
        return path;
    }

    // judge_timestamps looks at the time-stamps of a signature (RFC 3161 appendix A).
    std::vector<TimestampVerdict> judge_timestamps(const asn1::SignerInfo& signer, const Trust* trust,
                                                   const RevocationEvidence& carried) {
        std::vector<TimestampVerdict> verdicts;
        for (const ASN1_TYPE* value : Attributes(signer.unsigned_attributes).values(oid::kTimestampToken)) {
            if (timestamps_ == kMaxTimestamps) {
                too_many_timestamps_ = true;
                break;
            }
            ++timestamps_;
            verdicts.push_back(judge_timestamp(der_of(value, V_ASN1_SEQUENCE).value_or(Bytes{}),
                                               asn1::octets(signer.signature), trust, carried, reader_.certificates()));
            workload_.add_verifications(verdicts.back().verifications);
        }
        return verdicts;
    }

    // claimed_time is when the signer, or else the mail, says that it was signed.
    std::optional<Time> claimed_time(const asn1::SignerInfo& signer) const {
        const auto time = claimed_signing_time(signer);
        return time ? time : sender_.date;
    }

    // countersignatures are SignerInfos over the signature of the one that carries them (RFC 5652 section 11.4), and
    // may be countersigned themselves.
    std::vector<SignerVerdict> countersignatures(const asn1::SignerInfo& countersigned, const Trust* trust,
                                                 std::size_t depth) {
        std::vector<SignerVerdict> verdicts;
        const Attributes attributes(countersigned.unsigned_attributes);
        for (const ASN1_TYPE* value : attributes.values(oid::kCountersignature)) {
            if (depth > kMaxCountersignatureDepth || countersignatures_ == kMaxCountersignatures) {
                left_out_ = true;
                break;
            }
            ++countersignatures_;
            workload_.add_verifications(1);
            verdicts.push_back(countersignature(value, asn1::octets(countersigned.signature), trust, depth));
        }
        return verdicts;
    }

    SignerVerdict countersignature(const ASN1_TYPE* value, ByteView signature, const Trust* trust, std::size_t depth) {
        SignerVerdict verdict;
        try {
            const auto signer = asn1::decode<asn1::SignerInfoHandle>(
                der_of(value, V_ASN1_SEQUENCE).value_or(Bytes{}), asn1::d2i_SignerInfo, "malformed countersignature");
            const Algorithm* digest = find_algorithm(AlgorithmKind::digest, signer->digest_algorithm);
            Digests digests(digest != nullptr && digest->hash ? std::set{*digest->hash} : std::set<Hash>{});
            digests.push(signature);
            SignerInfoVerdict info;
            verdict = judge(*signer, {digests, "", to_bytes(signature)}, trust, info);
            verdict.countersignatures = countersignatures(*signer, trust_of(info, trust), depth + 1);
        } catch (const LimitExceeded&) {
            throw;
        } catch (const Error&) {
            ERR_clear_error();
            verdict.integrity_reason = "the countersignature is malformed";
        }
        if (trust_ != nullptr && verdict.integrity != Integrity::valid)
            judged_.warnings.push_back(
                {"countersignatures", fmt::format("a countersignature does not hold: {}",
                                                  verdict.integrity_reason.value_or("not checked"))});
        return verdict;
    }

    const SignedDataReader& reader_;
    RevocationEvidence carried_;
    const Trust* trust_;
    std::optional<Trust> quiet_;  // asks nobody
    const Sender& sender_;
    Workload& workload_;
    JudgedSigners judged_;
    std::string unsupported_;
    std::size_t countersignatures_ = 0;
    bool left_out_ = false;
    std::size_t timestamps_ = 0;
    bool too_many_timestamps_ = false;
};

}  // namespace

Revocation revocation_of(RevocationState state) {
    switch (state) {
        case RevocationState::good:
            return Revocation::good;
        case RevocationState::revoked:
            return Revocation::revoked;
        case RevocationState::unknown:
            return Revocation::unknown;
        case RevocationState::not_offered:
        case RevocationState::not_checked:
            break;
    }
    return Revocation::not_checked;
}

JudgedSigners judge_signers(const SignedDataReader& reader, const SignedContent& content, const Trust* trust,
                            const Sender& sender, Workload& workload) {
    return Judge(reader, trust, sender, workload).run(content);
}

}  // namespace p11mime::cms::smime
