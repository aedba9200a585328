#include "softhsm-tests/piv_card/card.h"

#include <algorithm>
#include <utility>

#include "softhsm-tests/piv_card/objects.h"
#include "softhsm-tests/piv_card/tlv.h"

namespace p11mime::piv_card {

namespace {

constexpr Byte kCardPin = 0x80, kPuk = 0x81;
constexpr std::size_t kSecretSize = 8;  // PINs and PUKs are padded with FF

Bytes padded(const std::string& digits) {
    Bytes bytes = to_bytes(bytes_of(digits));
    bytes.resize(kSecretSize, 0xff);
    return bytes;
}

/// check compares what was entered, and counts where it is wrong (section 3.2.1).
Answer check(Secret& secret, ByteView entered) {
    if (secret.tries == 0) return {kBlocked, {}};
    const Bytes right = padded(secret.digits);
    if (!std::equal(entered.begin(), entered.end(), right.begin(), right.end())) {
        --secret.tries;
        return {static_cast<std::uint16_t>(kTriesLeft | secret.tries), {}};
    }
    secret.tries = Secret::kMostTries;
    return {kDone, {}};
}

/// new_digits are the digits of a new PIN; "" where it is not well formed.
std::string new_digits(ByteView bytes) {
    std::string digits;
    for (const Byte byte : bytes)
        if (byte >= '0' && byte <= '9') digits += static_cast<char>(byte);
    const Bytes whole = padded(digits);
    return digits.size() >= 6 && std::equal(bytes.begin(), bytes.end(), whole.begin(), whole.end()) ? digits : "";
}

}  // namespace

Card::Card(KeyStore store, Bytes serial) {
    replace(std::move(store), std::move(serial));
}

void Card::replace(KeyStore store, Bytes serial) {
    reset();
    store_ = std::move(store);
    serial_ = std::move(serial);
    objects_ = data_objects(store_, serial_);
}

void Card::reset() {
    selected_ = verified_ = just_verified_ = false;
    chain_.clear();
    rest_.clear();
}

Answer Card::transmit(const Apdu& apdu) {
    if (apdu.ins == kGetResponse) return first_part(std::exchange(rest_, {}), apdu.expected);
    rest_.clear();
    chain_.insert(chain_.end(), apdu.data.begin(), apdu.data.end());
    if (apdu.chained()) return {kDone, {}};
    Apdu whole = apdu;
    whole.data = std::exchange(chain_, {});
    Answer answer = run(whole);
    if (answer.status != kDone) return answer;
    return first_part(std::move(answer.data), apdu.expected);
}

/// first_part keeps back what does not fit into one answer.
Answer Card::first_part(Bytes data, std::size_t expected) {
    if (data.size() <= expected) return {kDone, std::move(data)};
    rest_.assign(data.begin() + static_cast<std::ptrdiff_t>(expected), data.end());
    data.resize(expected);
    const std::size_t more = rest_.size() > 0xff ? 0 : rest_.size();
    return {static_cast<std::uint16_t>(kMoreData | more), std::move(data)};
}

Answer Card::run(const Apdu& apdu) {
    if (apdu.ins == kGeneralAuthenticate && selected_) return authenticate(apdu);
    just_verified_ = false;
    if (apdu.ins == kSelect) return select(apdu);
    if (!selected_) return {kNoSuchInstruction, {}};
    switch (apdu.ins) {
        case kGetData:
            return get_data(apdu);
        case kVerify:
            return verify(apdu);
        case kChangeReferenceData:
            return change(apdu);
        case kResetRetryCounter:
            return unblock(apdu);
        default:
            return {kNoSuchInstruction, {}};
    }
}

/// select takes the whole application identifier or its beginning; security status stays where PIV was selected before.
Answer Card::select(const Apdu& apdu) {
    constexpr std::size_t kShortest = 5;
    const ByteView application = kApplication;
    const bool ours = apdu.p1 == 0x04 && apdu.data.size() >= kShortest && apdu.data.size() <= application.size() &&
                      std::equal(apdu.data.begin(), apdu.data.end(), application.begin());
    if (!ours) return {kNotFound, {}};
    selected_ = true;
    return {kDone, application_template()};
}

Answer Card::get_data(const Apdu& apdu) const {
    if (apdu.p1 != 0x3f || apdu.p2 != 0xff) return {kWrongParameters, {}};
    const auto name = value_of(apdu.data, 0x5c);
    if (!name || name->empty() || name->size() > 3) return {kWrongData, {}};
    unsigned tag = 0;
    for (const Byte byte : *name)
        tag = tag << 8 | byte;
    const auto object = objects_.find(tag);
    if (object == objects_.end()) return {kNotFound, {}};
    return {kDone, object->second};
}

Answer Card::verify(const Apdu& apdu) {
    if (apdu.p2 != kCardPin) return {kNoSuchReference, {}};
    if (apdu.p1 == 0xff && apdu.data.empty()) {
        verified_ = false;
        return {kDone, {}};
    }
    if (apdu.p1 != 0x00) return {kWrongParameters, {}};
    if (apdu.data.empty()) {
        if (verified_) return {kDone, {}};
        if (pin.tries == 0) return {kBlocked, {}};
        return {static_cast<std::uint16_t>(kTriesLeft | pin.tries), {}};
    }
    if (apdu.data.size() != kSecretSize) return {kWrongData, {}};
    Answer answer = check(pin, apdu.data);
    verified_ = just_verified_ = answer.status == kDone;
    return answer;
}

Answer Card::change(const Apdu& apdu) {
    if (apdu.p1 != 0x00) return {kWrongParameters, {}};
    if (apdu.p2 != kCardPin && apdu.p2 != kPuk) return {kNoSuchReference, {}};
    const ByteView data = apdu.data;
    if (data.size() != 2 * kSecretSize) return {kWrongData, {}};
    const std::string wanted = new_digits(data.subspan(kSecretSize));
    if (wanted.empty()) return {kWrongData, {}};
    Secret& secret = apdu.p2 == kPuk ? puk : pin;
    Answer answer = check(secret, data.first(kSecretSize));
    if (answer.status == kDone) secret.digits = wanted;
    if (apdu.p2 == kCardPin) verified_ = answer.status == kDone;
    return answer;
}

Answer Card::unblock(const Apdu& apdu) {
    if (apdu.p1 != 0x00) return {kWrongParameters, {}};
    if (apdu.p2 != kCardPin) return {kNoSuchReference, {}};
    const ByteView data = apdu.data;
    if (data.size() != 2 * kSecretSize) return {kWrongData, {}};
    const std::string wanted = new_digits(data.subspan(kSecretSize));
    if (wanted.empty()) return {kWrongData, {}};
    Answer answer = check(puk, data.first(kSecretSize));
    if (answer.status == kDone) pin = {.digits = wanted};
    return answer;
}

Answer Card::authenticate(const Apdu& apdu) {
    const bool pin_just_verified = std::exchange(just_verified_, false);
    const auto key = store_.keys.find(apdu.p2);
    if (key == store_.keys.end()) return {kNoSuchReference, {}};
    if (apdu.p1 != key->second.algorithm()) return {kWrongParameters, {}};
    if (!may_use(apdu.p2, pin_just_verified)) return {kSecurityStatusNotSatisfied, {}};
    const auto dynamic = value_of(apdu.data, 0x7c);
    if (!dynamic || !value_of(*dynamic, 0x82)) return {kWrongData, {}};
    return use_key(key->second, *dynamic);
}

bool Card::may_use(KeyReference reference, bool pin_just_verified) const {
    if (reference == kCardAuthenticationKey) return true;
    return reference == kSignatureKey ? pin_just_verified : verified_;
}

Answer Card::use_key(const CardKey& key, ByteView template_value) const {
    const auto challenge = value_of(template_value, 0x81);
    const auto point = value_of(template_value, 0x85);
    const auto result = challenge ? key.signature_of(*challenge) : point ? key.agreed(*point) : std::nullopt;
    if (!result) return {kWrongData, {}};
    return {kDone, tlv(0x7c, tlv(0x82, *result))};
}

}  // namespace p11mime::piv_card
