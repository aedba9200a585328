#include "cms/identifiers.h"
#include "cms/smime/writers.h"
#include "cms/streamed_value.h"
#include "cms/zlib.h"

namespace p11mime::cms::smime {

namespace {

// CompressedWriter writes CompressedData. For DER the first pass finds out how long the compressed content is.
class CompressedWriter final : public EntityWriter {
  public:
    CompressedWriter(Sink& to, CompressionState& state, Form form) : state_(state), streams_(form == Form::smime) {
        if (!streams_ && !state.length) {
            deflation_.emplace(count_);
            return;
        }
        output_.emplace(to, form, "compressed-data", "smime.p7z");
        value_.emplace(*output_, layers(), tag::kOctetString, streams_ ? std::nullopt : state.length);
        deflation_.emplace(*value_);
    }

    void push(ByteView content) override { deflation_->push(content); }

    bool finish() override {
        deflation_->finish();
        if (!value_) {
            state_.length = count_.bytes;
            return false;
        }
        value_->finish();
        output_->finish();
        return true;
    }

  private:
    struct Count final : Sink {
        void push(ByteView piece) override { bytes += piece.size(); }
        std::uint64_t bytes = 0;
    };

    static std::vector<FrameLayer> layers() {
        const Bytes zlib = der_algorithm(algorithm_named(AlgorithmKind::compression, "zlib")->oid);
        return {{tag::kSequence, der_oid(oid::kCompressedData), {}},
                {tag::context(0, true), {}, {}},
                {tag::kSequence, concat({der_integer(0), zlib}), {}},
                {tag::kSequence, der_oid(oid::kData), {}},
                {tag::context(0, true), {}, {}}};
    }

    CompressionState& state_;
    bool streams_;
    Count count_;
    std::optional<CmsOutput> output_;
    std::optional<StreamedValue> value_;
    std::optional<Deflation> deflation_;
};

}  // namespace

std::unique_ptr<EntityWriter> compressed_writer(Sink& to, CompressionState& state, Form form) {
    return std::make_unique<CompressedWriter>(to, state, form);
}

}  // namespace p11mime::cms::smime
