import org.bouncycastle.cms.CMSCompressedData;
import org.bouncycastle.cms.CMSCompressedDataGenerator;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.jcajce.ZlibCompressor;
import org.bouncycastle.cms.jcajce.ZlibExpanderProvider;

/** Structures are the further content types, by Bouncy Castle. */
final class Structures {
    private Structures() {}

    static byte[] compress(byte[] content) throws Exception {
        return new CMSCompressedDataGenerator()
                .generate(new CMSProcessableByteArray(content), new ZlibCompressor())
                .getEncoded();
    }

    static byte[] expand(byte[] structure) throws CMSException {
        return new CMSCompressedData(structure).getContent(new ZlibExpanderProvider());
    }
}
