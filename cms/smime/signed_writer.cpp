#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cms/identifiers.h"
#include "cms/signer_info.h"
#include "cms/smime/writers.h"
#include "cms/streamed_value.h"

namespace p11mime::cms::smime {

namespace {

std::set<Hash> hashes_of(const SigningState& state) {
    std::set<Hash> hashes;
    for (const SignScheme& scheme : state.schemes)
        hashes.insert(scheme_hash(scheme));
    return hashes;
}

// sign makes the SignerInfos, or checks that they fit the content where an earlier pass has made them.
void sign(SigningState& state, const Digests& digests) {
    const std::vector<SignScheme>& schemes = state.schemes;
    std::vector<Bytes> values;
    for (const SignScheme& scheme : schemes)
        values.push_back(*digests.value(scheme_hash(scheme)));
    if (state.signed_digests) {
        if (*state.signed_digests != values) throw Error(ErrorKind::io, "the input changed while it was read");
        return;
    }
    const Time now = state.clock->now();
    for (std::size_t i = 0; i < schemes.size(); ++i)
        state.signer_infos.push_back(make_signer_info(*state.signers[i], schemes[i],
                                                      {.content_type = std::string(oid::kData),
                                                       .message_digest = values[i],
                                                       .signing_time = now,
                                                       .encryption_certificate = state.options.encryption_certificate,
                                                       .abilities = state.options.abilities,
                                                       .timestamps = state.options.timestamps.get()},
                                                      {state.intent}));
    state.signed_digests = std::move(values);
}

Bytes digest_algorithms(const SigningState& state) {
    std::vector<Bytes> identifiers;
    for (Hash hash : hashes_of(state))
        identifiers.push_back(digest_identifier(hash));
    return der_set_of(tag::kSet, std::move(identifiers));
}

Bytes certificates(const SigningState& state) {
    std::vector<Bytes> all;
    const auto add = [&](const Certificate& certificate) {
        Bytes der = certificate.der();
        if (std::find(all.begin(), all.end(), der) == all.end()) all.push_back(std::move(der));
    };
    for (const Signer* signer : state.signers)
        add(signer->certificate());
    for (const Certificate& each : state.options.chain)
        add(each);
    if (state.options.encryption_certificate) add(*state.options.encryption_certificate);
    return der_set_of(tag::context(0, true), std::move(all));
}

// after_content is what follows encapContentInfo in SignedData.
Bytes after_content(const SigningState& state) {
    return concat({certificates(state), der_set_of(tag::kSet, state.signer_infos)});
}

// detached_signed_data is a ContentInfo with SignedData without content (RFC 5652 section 5.2).
Bytes detached_signed_data(const SigningState& state) {
    const Bytes encapsulated = der_value(tag::kSequence, der_oid(oid::kData));
    const Bytes signed_data =
        der_value(tag::kSequence, {der_integer(1), digest_algorithms(state), encapsulated, after_content(state)});
    return der_value(tag::kSequence, {der_oid(oid::kSignedData), der_value(tag::context(0, true), signed_data)});
}

std::string micalg(const SigningState& state) {
    std::string names;
    for (Hash hash : hashes_of(state))
        names += fmt::format("{}{}", names.empty() ? "" : ",", digest_algorithm(hash).micalg);
    return names.find(',') == std::string::npos ? names : '"' + names + '"';
}

class ClearSignedWriter final : public EntityWriter {
  public:
    ClearSignedWriter(Sink& to, SigningState& state) : to_(to), state_(state), digests_(hashes_of(state)) {
        to_.push(
            bytes_of(fmt::format("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
                                 "\tmicalg={}; boundary=\"{}\"\r\n\r\n--{}\r\n",
                                 micalg(state), state.boundary, state.boundary)));
    }

    void push(ByteView content) override {
        digests_.push(content);
        to_.push(content);
    }

    bool finish() override {
        sign(state_, digests_);
        to_.push(
            bytes_of(fmt::format("\r\n--{}\r\n"
                                 "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"
                                 "Content-Transfer-Encoding: base64\r\n"
                                 "Content-Disposition: attachment; filename=smime.p7s\r\n\r\n",
                                 state_.boundary)));
        const auto base64 = mime::base64_encoder(to_, mime::LineEnding::crlf);
        base64->push(detached_signed_data(state_));
        base64->finish();
        to_.push(bytes_of(fmt::format("--{}--\r\n", state_.boundary)));
        return true;
    }

  private:
    Sink& to_;
    SigningState& state_;
    Digests digests_;
};

class OpaqueSignedWriter final : public EntityWriter {
  public:
    OpaqueSignedWriter(Sink& to, SigningState& state, Form form)
        : state_(state), digests_(hashes_of(state)), streams_(form == Form::smime) {
        if (!streams_ && !state.length) return;  // DER: the first pass counts
        output_.emplace(to, form, "signed-data");
        value_.emplace(*output_, layers(), tag::kOctetString, streams_ ? std::nullopt : state.length);
    }

    void push(ByteView content) override {
        digests_.push(content);
        count_ += content.size();
        if (value_) value_->push(content);
    }

    bool finish() override {
        sign(state_, digests_);
        state_.length = count_;
        if (!value_) return false;
        if (streams_) value_->set_after(kSignedDataLayer, after_content(state_));
        value_->finish();
        output_->finish();
        return true;
    }

  private:
    static constexpr std::size_t kSignedDataLayer = 2;

    std::vector<FrameLayer> layers() const {
        return {{tag::kSequence, der_oid(oid::kSignedData), {}},
                {tag::context(0, true), {}, {}},
                {tag::kSequence, concat({der_integer(1), digest_algorithms(state_)}),
                 streams_ ? Bytes{} : after_content(state_)},
                {tag::kSequence, der_oid(oid::kData), {}},
                {tag::context(0, true), {}, {}}};
    }

    SigningState& state_;
    Digests digests_;
    bool streams_;
    std::uint64_t count_ = 0;
    std::optional<CmsOutput> output_;
    std::optional<StreamedValue> value_;
};

class DetachedSignatureWriter final : public EntityWriter {
  public:
    DetachedSignatureWriter(Sink& to, SigningState& state, Form form)
        : to_(to), state_(state), form_(form), digests_(hashes_of(state)) {}

    void push(ByteView content) override { digests_.push(content); }

    bool finish() override {
        sign(state_, digests_);
        CmsOutput output(to_, form_, "signed-data");
        output.push(detached_signed_data(state_));
        output.finish();
        return true;
    }

  private:
    Sink& to_;
    SigningState& state_;
    Form form_;
    Digests digests_;
};

}  // namespace

std::unique_ptr<EntityWriter> clear_signed_writer(Sink& to, SigningState& state) {
    return std::make_unique<ClearSignedWriter>(to, state);
}

std::unique_ptr<EntityWriter> opaque_signed_writer(Sink& to, SigningState& state, Form form) {
    return std::make_unique<OpaqueSignedWriter>(to, state, form);
}

std::unique_ptr<EntityWriter> detached_signature_writer(Sink& to, SigningState& state, Form form) {
    return std::make_unique<DetachedSignatureWriter>(to, state, form);
}

}  // namespace p11mime::cms::smime
