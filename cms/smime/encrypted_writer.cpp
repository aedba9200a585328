#include <fmt/format.h>

#include "cms/identifiers.h"
#include "cms/recipient_list.h"
#include "cms/smime/writers.h"
#include "cms/streamed_value.h"

namespace p11mime::cms::smime {

namespace {

class EncryptedWriter final : public EntityWriter {
  public:
    EncryptedWriter(Sink& to, EncryptionState& state, Form form) : state_(state), streams_(form == Form::smime) {
        if (!streams_ && !state.length) return;  // DER: the first pass counts
        const bool authenticated = state.algorithm.cipher->authenticated;
        output_.emplace(to, form, authenticated ? "authEnveloped-data" : "enveloped-data");
        const auto length =
            streams_ ? std::nullopt : std::optional(ContentEncryption::ciphertext_size(state.algorithm, *state.length));
        value_.emplace(*output_, layers(), tag::context(0, false), length);
        encryption_.emplace(*value_, state.algorithm, state.key);
    }

    void push(ByteView content) override {
        count_ += content.size();
        if (encryption_) encryption_->push(content);
    }

    bool finish() override {
        state_.length = count_;
        if (!encryption_) return false;
        const Bytes tag_bytes = encryption_->finish();
        if (state_.trace.value_or(encryption_->trace()) != encryption_->trace())
            throw Error(ErrorKind::io, "the input changed while it was read");
        state_.trace = encryption_->trace();
        if (!tag_bytes.empty()) value_->set_after(kEnvelopedDataLayer, der_value(tag::kOctetString, tag_bytes));
        value_->finish();
        output_->finish();
        return true;
    }

  private:
    static constexpr std::size_t kEnvelopedDataLayer = 2;

    std::vector<FrameLayer> layers() const {
        const bool authenticated = state_.algorithm.cipher->authenticated;
        // The tag's size is known from the start, so that the lengths around it are; its value is set at the end.
        const Bytes placeholder =
            authenticated ? der_value(tag::kOctetString, Bytes(state_.algorithm.tag_size)) : Bytes{};
        return {{tag::kSequence, der_oid(authenticated ? oid::kAuthEnvelopedData : oid::kEnvelopedData), {}},
                {tag::context(0, true), {}, {}},
                {tag::kSequence, concat({der_integer(state_.version), state_.recipient_infos}), placeholder},
                {tag::kSequence, concat({der_oid(oid::kData), content_encryption_der(state_.algorithm)}), {}}};
    }

    EncryptionState& state_;
    bool streams_;
    std::uint64_t count_ = 0;
    std::optional<CmsOutput> output_;
    std::optional<StreamedValue> value_;
    std::optional<ContentEncryption> encryption_;
};

}  // namespace

EncryptionState new_encryption_state(const std::vector<Recipient>& recipients, const Algorithm& cipher) {
    const auto too_many = [&] {
        return Error(ErrorKind::usage,
                     fmt::format("{} recipients are more than one mail can have: {}, whose keys come to {} MiB",
                                 recipients.size(), kMaxRecipients, kMaxRecipientBytes / 1024 / 1024),
                     "encrypt a mail of its own to each part of them");
    };
    if (recipients.size() > kMaxRecipients) throw too_many();
    EncryptionState state{.algorithm = new_content_encryption(cipher),
                          .key = random_key(cipher.key_size),
                          .recipient_infos = {},
                          .version = 0,
                          .length = std::nullopt,
                          .trace = std::nullopt};
    std::vector<Bytes> infos = make_recipient_infos(recipients, state.key);
    if (!cipher.authenticated) state.version = enveloped_data_version(infos);  // AuthEnvelopedData is always 0
    state.recipient_infos = der_set_of(tag::kSet, std::move(infos));
    if (state.recipient_infos.size() > kMaxRecipientBytes) throw too_many();
    return state;
}

std::unique_ptr<EntityWriter> encrypted_writer(Sink& to, EncryptionState& state, Form form) {
    return std::make_unique<EncryptedWriter>(to, state, form);
}

}  // namespace p11mime::cms::smime
