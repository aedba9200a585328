#include "cms/smime/report.h"

#include <algorithm>
#include <functional>

namespace p11mime::cms::smime {

std::string_view name(Integrity value) {
    switch (value) {
        case Integrity::valid:
            return "valid";
        case Integrity::invalid:
            return "invalid";
        case Integrity::not_checked:
            break;
    }
    return "not_checked";
}

std::string_view name(ChainState value) {
    switch (value) {
        case ChainState::trusted:
            return "trusted";
        case ChainState::untrusted:
            return "untrusted";
        case ChainState::not_checked:
            break;
    }
    return "not_checked";
}

std::string_view name(Revocation value) {
    switch (value) {
        case Revocation::good:
            return "good";
        case Revocation::revoked:
            return "revoked";
        case Revocation::unknown:
            return "unknown";
        case Revocation::not_checked:
            break;
    }
    return "not_checked";
}

std::string_view name(SenderState value) {
    switch (value) {
        case SenderState::match:
            return "match";
        case SenderState::mismatch:
            return "mismatch";
        case SenderState::absent:
            return "absent";
        case SenderState::not_checked:
            break;
    }
    return "not_checked";
}

std::string_view name(Strength value) {
    return value == Strength::ok ? "ok" : "weak";
}

Strength strength_of(const Algorithm& algorithm) {
    return algorithm.standing == Standing::ok ? Strength::ok : Strength::weak;
}

bool is_encrypted(LayerType type) {
    return type == LayerType::enveloped || type == LayerType::auth_enveloped || type == LayerType::encrypted;
}

std::string_view name(LayerType type) {
    switch (type) {
        case LayerType::signed_data:
            return "signed";
        case LayerType::enveloped:
            return "enveloped";
        case LayerType::auth_enveloped:
            return "auth-enveloped";
        case LayerType::encrypted:
            return "encrypted";
        case LayerType::authenticated:
            return "authenticated";
        case LayerType::digested:
            return "digested";
        case LayerType::compressed:
            return "compressed";
        case LayerType::certs_only:
            return "certs-only";
    }
    return "";
}

std::string_view name(Result result) {
    switch (result) {
        case Result::valid:
            return "valid";
        case Result::untrusted:
            return "untrusted";
        case Result::invalid:
            return "invalid";
        case Result::unsigned_:
            return "unsigned";
        case Result::decrypted:
            return "decrypted";
        case Result::error:
            return "error";
    }
    return "";
}

bool signs_text(const Report& report, const Layer& layer) {
    return layer.covers_whole && layer.type == LayerType::signed_data && !signs_ciphertext(report, layer);
}

bool signs_ciphertext(const Report& report, const Layer& layer) {
    if (!layer.covers_whole || layer.type != LayerType::signed_data) return false;
    const auto innermost = std::find_if(report.layers.rbegin(), report.layers.rend(),
                                        [](const Layer& each) { return each.covers_whole && is_encrypted(each.type); });
    return innermost != report.layers.rend() && std::less<>()(&layer, &*innermost);
}

bool protected_by_signature(const Report& report, const Layer& layer) {
    if (!layer.covers_whole || !is_encrypted(layer.type)) return false;
    return std::any_of(report.layers.begin(), report.layers.end(), [&](const Layer& each) {
        return signs_text(report, each) && !each.signers.empty() &&
               std::all_of(each.signers.begin(), each.signers.end(),
                           [](const SignerVerdict& signer) { return signer.integrity == Integrity::valid; });
    });
}

int Report::exit_status() const {
    if (result == Result::invalid) return 1;
    return result == Result::untrusted ? 3 : 0;
}

}  // namespace p11mime::cms::smime
