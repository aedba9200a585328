#include "token/key_hint.h"

#include <algorithm>

#include "token/public_key.h"

namespace p11mime::token {

namespace {

bool shows_key(const Session& session, const TokenInfo& token, const cms::Certificate& certificate) {
    const KeyHandle public_key = certificate.public_key();
    for (const Bytes& id : ids_of_key(public_key.get()))
        if (shows_key_with(session, id)) return true;
    for (const CK_OBJECT_HANDLE object : session.find(objects_of_class(CKO_PUBLIC_KEY))) {
        const KeyHandle shown = parse_spki(read_public_object(session, object));
        if (shown && same_public_key(shown.get(), public_key.get())) return true;
    }
    return find_key_by_public_key(session, token, public_key.get()).has_value();
}

bool is_of_holder(const CertificateObject& object, const cms::Certificate& certificate) {
    if (!object.certificate || object.certificate->is_ca()) return false;
    if (object.certificate->subject_der() == certificate.subject_der()) return true;
    const auto emails = certificate.emails();
    return std::any_of(emails.begin(), emails.end(),
                       [&](const std::string& email) { return object.certificate->has_email(email); });
}

bool shows(const Session& session, Template search, const Uri& uri) {
    if (uri.id) search.add(CKA_ID, to_bytes(bytes_of(*uri.id)));
    if (uri.object) search.add(CKA_LABEL, *uri.object);
    return !session.find(search).empty();
}

bool shows_id(const Session& session, const Uri& uri) {
    if (!uri.id) return false;
    Template any_object;
    any_object.add(CKA_ID, to_bytes(bytes_of(*uri.id)));
    return !session.find(any_object).empty();
}

}  // namespace

bool may_hide(Pkcs11Token& token, KeyHint hint) {
    const PinState state = token.info().pin_state;
    return hint != KeyHint::none && hint != KeyHint::evidence && !token.core()->logged_in() &&
           state != PinState::locked && state != PinState::not_set;
}

bool may_ask_on_chance(Pkcs11Token& token, std::size_t chances, bool typed) {
    return chances <= 1 || typed || token.core()->logged_in();
}

bool shows_key(Pkcs11Token& token, const cms::Certificate& certificate) {
    TokenCore& core = *token.core();
    return core.with_session([&](const Session& session) { return shows_key(session, core.info(), certificate); });
}

bool shows_key_with(const Session& session, const Bytes& id) {
    Template any_object;
    any_object.add(CKA_ID, id);
    Template certificates = objects_of_class(CKO_CERTIFICATE);
    certificates.add(CKA_ID, id);
    const std::size_t all = session.find(any_object).size();
    return all > 0 && all > session.find(certificates).size();
}

KeyHint key_hint(Pkcs11Token& token, const Uri& uri) {
    TokenCore& core = *token.core();
    const bool logged_in = core.logged_in();
    if (!uri.id && !uri.object) return logged_in ? KeyHint::evidence : KeyHint::hidden;
    return core.with_session([&](const Session& session) {
        if (shows(session, objects_of_class(CKO_PRIVATE_KEY), uri)) return KeyHint::evidence;
        if (logged_in) return KeyHint::none;
        if (shows(session, objects_of_class(CKO_PUBLIC_KEY), uri)) return KeyHint::evidence;
        if (shows(session, objects_of_class(CKO_CERTIFICATE), uri) || shows_id(session, uri)) return KeyHint::likely;
        return KeyHint::hidden;
    });
}

KeyHint key_hint(Pkcs11Token& token, const cms::Certificate& certificate) {
    TokenCore& core = *token.core();
    const bool shown = shows_key(token, certificate);
    const std::vector<CertificateObject> certificates = token.certificates();
    const Bytes spki = certificate.spki_der();
    const auto any = [&](auto fits) { return std::any_of(certificates.begin(), certificates.end(), fits); };
    if (shown) return KeyHint::evidence;
    if (any([&](const CertificateObject& one) { return one.certificate && one.certificate->spki_der() == spki; }))
        return KeyHint::likely;
    if (core.logged_in()) return KeyHint::none;
    return any([&](const CertificateObject& one) { return is_of_holder(one, certificate); }) ? KeyHint::holder
                                                                                             : KeyHint::hidden;
}

}  // namespace p11mime::token
