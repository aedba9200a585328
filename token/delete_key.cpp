#include "token/delete_key.h"

#include <fmt/format.h>

#include <algorithm>

#include "token/ckr.h"
#include "token/public_key.h"

namespace p11mime::token {

namespace {

/// Concerned is the objects of one key.
struct Concerned {
    CK_OBJECT_HANDLE private_key = 0;
    std::vector<CK_OBJECT_HANDLE> rest;  // public halves and certificates
    Belongings belongings;
};

bool is(const PrivateKey& key, const KeyObject& wanted) {
    return key.id == wanted.id && key.label == wanted.label && key.type == wanted.type;
}

/// belongs says whether an object with this public key and id is one of the key's.
bool belongs(const Bytes& spki, const Bytes& id, const Bytes& key_spki, const KeyObject& key) {
    if (spki.empty() || key_spki.empty()) return !id.empty() && id == key.id;
    return spki == key_spki;
}

Concerned concerned_by(const Session& session, const TokenInfo& token, const KeyObject& wanted) {
    Concerned found;
    Bytes spki;
    for (const PrivateKey& key : read_private_keys(session, objects_of_class(CKO_PRIVATE_KEY))) {
        if (found.private_key == 0 && is(key, wanted)) {
            found.private_key = key.handle;
            spki = read_public_key(session, token, key);
        } else if (!key.id.empty() && key.id == wanted.id) {
            found.belongings.others.push_back(key.label);
        }
    }
    if (found.private_key == 0)
        throw Error(ErrorKind::token, fmt::format("{} has no key '{}'", token_name(token), wanted.label),
                    "p11mime tokens lists what is on the token");
    for (const CK_OBJECT_HANDLE object : session.find(objects_of_class(CKO_PUBLIC_KEY)))
        if (belongs(read_public_object(session, object), session.attributes(object, {CKA_ID}).bytes(CKA_ID), spki,
                    wanted))
            found.rest.push_back(object);
    for (const CK_OBJECT_HANDLE object : session.find(objects_of_class(CKO_CERTIFICATE))) {
        CertificateObject certificate = read_certificate(session, token, object);
        const Bytes own = certificate.certificate ? certificate.certificate->spki_der() : Bytes{};
        if (!belongs(own, certificate.id, spki, wanted)) continue;
        found.rest.push_back(object);
        found.belongings.certificates.push_back(std::move(certificate));
    }
    return found;
}

}  // namespace

Belongings belongings_of(TokenCore& core, const KeyObject& key) {
    core.login("look at a key");
    return core.with_session([&](const Session& session) { return concerned_by(session, core.info(), key); })
        .belongings;
}

std::size_t delete_key(TokenCore& core, const KeyObject& key) {
    core.login("delete a key");
    const auto session = core.open_session(Session::Access::read_write);
    const Concerned concerned = concerned_by(*session, core.info(), key);
    check(session->destroy(concerned.private_key), core.name(), fmt::format("delete the key '{}'", key.label));
    core.forget_objects();
    std::size_t count = 1;
    std::size_t left = 0;
    CK_RV refused = CKR_OK;
    for (const CK_OBJECT_HANDLE object : concerned.rest) {
        const CK_RV code = session->destroy(object);
        if (code == CKR_OK) ++count;
        if (code == CKR_OK || code == CKR_OBJECT_HANDLE_INVALID) continue;  // some tokens drop them with the key
        refused = code;
        ++left;
    }
    check(refused, core.name(),
          fmt::format("delete {} public halves and certificates of the key, which is gone", left));
    return count;
}

}  // namespace p11mime::token
