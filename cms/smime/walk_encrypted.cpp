// The layers that need a key.

#include <fmt/format.h>

#include <algorithm>

#include "cms/authenticated_data.h"
#include "cms/content_info.h"
#include "cms/enveloped_data.h"
#include "cms/identifiers.h"
#include "cms/overload.h"
#include "cms/smime/classify.h"
#include "cms/smime/walk.h"

namespace p11mime::cms::smime {

namespace {

bool is_control(Byte byte) {
    return byte == 0x7f || (byte < 0x20 && byte != '\t' && byte != '\r' && byte != '\n');
}

// is_text accepts UTF-8 without control characters; a sequence cut off at the end of the front is fine.
bool is_text(ByteView front) {
    for (std::size_t i = 0; i < front.size();) {
        const Byte byte = front[i];
        if (byte < 0x80) {
            if (is_control(byte)) return false;
            ++i;
            continue;
        }
        const std::size_t more = byte >= 0xf0 && byte < 0xf5 ? 3 : byte >= 0xe0 ? 2 : 1;
        if (byte < 0xc2 || byte >= 0xf5) return false;
        for (std::size_t j = 1; j <= more && i + j < front.size(); ++j)
            if ((front[i + j] & 0xc0) != 0x80) return false;
        i += more + 1;
    }
    return true;
}

// is_structure says whether content starts like a CMS structure: a SEQUENCE that begins with a version.
bool is_structure(ByteView front) {
    ViewSource source(front);
    BerReader reader(source);
    try {
        enter_structure(reader, "structure");
        return true;
    } catch (const Error&) {
        return false;
    }
}

// is_plausible says whether content can be what was encrypted. A wrong key passes the padding of CBC once in 256 times,
// and what it gives starts like a header now and then: a colon soon after the start, or an empty line. So the header
// must be free of control characters, and what follows an empty one must be text.
bool is_plausible(ByteView front, const std::string& type) {
    if (type != oid::kData && is_cms_content_type(type)) return is_structure(front);
    const std::string_view text = text_of(front);
    if (!is_mime_entity(front) || text.starts_with('\n') || text.starts_with("\r\n")) return is_text(front);
    const std::size_t end = std::min(text.find("\n\n"), text.find("\n\r\n"));
    const ByteView header = front.first(std::min(end, front.size()));
    return std::none_of(header.begin(), header.end(), is_control);
}

Error does_not_decrypt() {
    return {ErrorKind::failed,
            "the content does not decrypt: it was changed on the way, or encrypted with another key or password",
            "ask the sender to send it again"};
}

Error does_not_authenticate() {
    return {ErrorKind::failed,
            "the content does not fit its authentication code: it was changed on the way, or another key was used",
            "ask the sender to send it again"};
}

std::string key_intent(const Report& report, const std::string& input) {
    std::string what = "open a mail";
    if (!report.from.empty()) what = "open the mail from " + report.from.front();
    if (report.subject && *report.subject != kHiddenSubject)
        what += fmt::format(", '{}'", *report.subject);
    else if (!input.empty())
        what += fmt::format(" in the file '{}'", input);
    return what;
}

LayerType layer_type(EncryptedKind kind) {
    switch (kind) {
        case EncryptedKind::enveloped:
            return LayerType::enveloped;
        case EncryptedKind::auth_enveloped:
            return LayerType::auth_enveloped;
        case EncryptedKind::encrypted:
            break;
    }
    return LayerType::encrypted;
}

// given_key is the content key of EncryptedData, which both sides know.
ContentKey given_key(const GivenSecrets& secrets, const std::string& cipher, std::size_t key_size) {
    if (!secrets.kek || secrets.kek->key->size() != key_size)
        throw Error(ErrorKind::no_key, fmt::format("the mail does not carry the key of its content ({})", cipher),
                    fmt::format("--kek FILE gives it, {} bytes", key_size));
    return {secrets.kek->key->copy(), std::nullopt};
}

// key_cipher is what the content key is encrypted with under another symmetric key; null where it is not.
const Algorithm* key_cipher(const Recovery& recovery) {
    return std::visit(
        Overload{[](const Agree& agree) { return agree.wrap; }, [](const KekUnwrap& kek) { return kek.wrap; },
                 [](const PasswordUnwrap& password) { return password.cipher; },
                 [](const auto&) -> const Algorithm* { return nullptr; }},
        recovery);
}

Effort effort_of(const Knowledge& knowledge) {
    Effort effort;
    for (const auto& [path, known] : knowledge)
        if (known.key) {
            effort.operations += known.key->effort.operations;
            effort.iterations += known.key->effort.iterations;
        }
    return effort;
}

}  // namespace

void Walk::note_cipher(const ContentEncryptionAlgorithm& algorithm, Layer& layer) {
    layer.strength = Strength::ok;
    note_weak(*algorithm.cipher, layer);
}

// note_weak says so of a cipher that is, be it for the content or for its key.
void Walk::note_weak(const Algorithm& cipher, Layer& layer) {
    if (strength_of(cipher) != Strength::weak) return;
    if (layer.strength) layer.strength = Strength::weak;
    if (!layer.weak_cipher) layer.weak_cipher = cipher.name;
    const Warning warning{"weak-cipher",
                          fmt::format("{} is weak: others may have been able to read what it protects", cipher.name)};
    const bool told = std::find(report_.warnings.begin(), report_.warnings.end(), warning) != report_.warnings.end();
    if (!told && options_.task != Task::inspect) report_.warnings.push_back(warning);
}

void Walk::note_recipients(const std::vector<RecipientEntry>& recipients, Layer& layer) {
    recipients_ += recipients.size();
    if (recipients_ > kMaxRecipients) throw too_many_recipients();
    for (const RecipientEntry& entry : recipients) {
        layer.recipients.push_back({entry.identifier.text(), entry.key_management, false});
        const Algorithm* cipher = entry.recovery ? key_cipher(*entry.recovery) : nullptr;
        if (cipher != nullptr) note_weak(*cipher, layer);
    }
}

// content_key finds the key of a layer once, however many passes there are. It lets go of the recipients.
const ContentKey& Walk::content_key(std::vector<RecipientEntry>&& recipients, const KeySizes& sizes, const Error& wrong,
                                    Layer& layer) {
    const std::vector<RecipientEntry> own = std::move(recipients);
    LayerKnowledge& known = knowledge_[layer.path];
    if (!known.key)
        known.key = find_content_key(*keys_, options_.secrets, own, sizes, effort_of(knowledge_),
                                     {key_intent(report_, options_.name)}, options_.stop);
    if (!sizes.fit(known.key->key.size())) throw wrong;
    for (const std::string& line : known.key->skipped)
        report_.warnings.push_back({"key-skipped", line});
    if (known.key->recipient && *known.key->recipient < layer.recipients.size()) {
        RecipientSummary& recipient = layer.recipients[*known.key->recipient];
        recipient.used = true;
        recipient.key = known.key->own;
    }
    return *known.key;
}

bool Walk::encrypted(BerReader& ber, EncryptedKind kind, const std::string& media_type, const Place& place, bool bare) {
    if (place.output == nullptr) note_encrypted(place);
    EnvelopedDataReader reader(ber, kind);
    const std::size_t index = add_layer(layer_type(kind), media_type, place);
    Layer& layer = report_.layers[index];
    layer.cipher = reader.cipher_name();
    if (reader.supported()) note_cipher(reader.algorithm(), layer);
    std::vector<RecipientEntry> recipients = reader.take_recipients();
    note_recipients(recipients, layer);
    if (options_.task == Task::inspect) return false;
    if (place.output == nullptr) {
        drain(reader.ciphertext());
        reader.finish();
        return true;
    }
    sealed_off(index, [&] { decrypt(reader, std::move(recipients), index, place, bare); });
    return true;
}

void Walk::decrypt(EnvelopedDataReader& reader, std::vector<RecipientEntry>&& recipients, std::size_t layer,
                   const Place& place, bool bare) {
    const bool authenticated = reader.kind() == EncryptedKind::auth_enveloped;
    const std::size_t key_size = reader.algorithm().cipher->key_size;
    LayerKnowledge& known = knowledge_[place.path];
    if (reader.kind() == EncryptedKind::encrypted && !known.key)
        known.key = given_key(options_.secrets, reader.cipher_name(), key_size);
    const ContentKey& key =
        content_key(std::move(recipients), {key_size, key_size}, does_not_decrypt(), report_.layers[layer]);
    ContentDecryption plaintext(reader.ciphertext(), reader.algorithm(), key.key, known.associated_data);
    const auto inside = [&] {
        Window window(plaintext);
        const bool plausible =
            authenticated || (bare && key.certain) || is_plausible(window.peek(kFront), reader.content_type());
        if (!plausible) throw does_not_decrypt();
        content(window, reader.content_type(), place.decrypted_content(), bare);
    };
    const auto ends_well = [&] {
        drain(plaintext);
        reader.finish();
        evidence_.push_back(reader.tag());
        if (authenticated && reader.associated_data() != known.associated_data) {
            known.associated_data = reader.associated_data();
            again_ = true;
            return true;
        }
        return plaintext.finish(reader.tag());
    };
    checked(inside, ends_well, authenticated, does_not_decrypt());
    report_.layers[layer].authenticated = authenticated;
}

void Walk::authenticated(BerReader& ber, const std::string& media_type, const Place& place, bool bare) {
    AuthenticatedDataReader reader(ber);
    const std::size_t index = add_layer(LayerType::authenticated, media_type, place);
    Layer& layer = report_.layers[index];
    layer.algorithm = reader.mac_name();
    if (reader.supported()) layer.strength = strength_of(reader.mac());
    std::vector<RecipientEntry> recipients = reader.take_recipients();
    note_recipients(recipients, layer);
    if (options_.task == Task::inspect || place.output == nullptr) {
        // The content can be read without the key; that it is the sender's cannot be told.
        recipients = {};
        content(reader.content(), reader.content_type(), place.content(0), bare);
        return reader.finish();
    }

    sealed_off(index, [&] { authenticate(reader, std::move(recipients), index, place, bare); });
}

void Walk::authenticate(AuthenticatedDataReader& reader, std::vector<RecipientEntry>&& recipients, std::size_t layer,
                        const Place& place, bool bare) {
    reader.mac();  // before a key is asked for
    const ContentKey& key =
        content_key(std::move(recipients), {kMinMacKeyBytes}, does_not_authenticate(), report_.layers[layer]);
    ContentAuthentication authentication(reader, key.key);
    WorkSource work(reader.content(), workload_);
    TeeSource authenticated_content(work, authentication);
    const auto inside = [&] { content(authenticated_content, reader.content_type(), place.content(1), bare); };
    const auto ends_well = [&] {
        drain(authenticated_content);
        reader.finish();
        evidence_.push_back(reader.code());
        return authentication.holds(reader);
    };
    checked(inside, ends_well, true, does_not_authenticate());
    report_.layers[layer].authenticated = true;
}

}  // namespace p11mime::cms::smime
