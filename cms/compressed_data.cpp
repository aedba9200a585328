#include "cms/compressed_data.h"

#include "cms/algorithms.h"

namespace p11mime::cms {

CompressedDataReader::CompressedDataReader(BerReader& reader) : reader_(reader) {
    enter_structure(reader_, "CompressedData");
    const auto identifier = read_algorithm(reader_, "compression algorithm");
    algorithm_name_ = algorithm_text(identifier.get());
    supported_ = find_algorithm(AlgorithmKind::compression, identifier.get()) != nullptr;
    encapsulated_.emplace(reader_);
}

Source& CompressedDataReader::compressed() {
    if (!supported_) throw unsupported(algorithm_name_);
    return require_content(*encapsulated_);
}

void CompressedDataReader::finish() {
    encapsulated_->finish();
    reader_.leave();
}

}  // namespace p11mime::cms
