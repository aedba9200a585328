import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Set;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.AuthEnvelopedData;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EncryptedContentInfo;
import org.bouncycastle.asn1.cms.EnvelopedData;
import org.bouncycastle.asn1.cms.RecipientInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;

/**
 * ByHand reads and writes EnvelopedData and AuthEnvelopedData with nothing but ASN.1 classes and the JDK's primitives,
 * for what no CMS library in Debian knows: X25519, X448 and ChaCha20-Poly1305.
 */
final class ByHand {
    private static final int TAG_SIZE = 16;

    private ByHand() {}

    static byte[] decrypt(Job job) throws Exception {
        ContentInfo structure = ContentInfo.getInstance(job.file("in"));
        if (structure.getContentType().equals(CMSObjectIdentifiers.authEnvelopedData)) {
            AuthEnvelopedData envelope = AuthEnvelopedData.getInstance(structure.getContent());
            if (envelope.getAuthAttrs() != null) throw new IllegalStateException("attributes were not expected");
            return open(job, envelope.getRecipientInfos(), envelope.getAuthEncryptedContentInfo(),
                    envelope.getMac().getOctets());
        }
        EnvelopedData envelope = EnvelopedData.getInstance(structure.getContent());
        return open(job, envelope.getRecipientInfos(), envelope.getEncryptedContentInfo(), new byte[0]);
    }

    private static byte[] open(Job job, ASN1Set recipients, EncryptedContentInfo content, byte[] tag)
            throws Exception {
        byte[] key = RecipientInfos.contentKey(job, RecipientInfo.getInstance(recipients.getObjectAt(0)));
        AlgorithmIdentifier algorithm = content.getContentEncryptionAlgorithm();
        ContentCipher cipher = ContentCipher.of(algorithm.getAlgorithm());
        byte[] nonce = cipher.nonce(algorithm.getParameters());
        return cipher.open(key, nonce, concatenated(content.getEncryptedContent().getOctets(), tag));
    }

    static byte[] encrypt(Job job) throws Exception {
        ContentCipher cipher = ContentCipher.named(job.text("cipher"));
        SecureRandom random = new SecureRandom();
        byte[] key = new byte[cipher.keySize()];
        byte[] nonce = new byte[cipher.nonceSize()];
        random.nextBytes(key);
        random.nextBytes(nonce);
        byte[] sealed = cipher.seal(key, nonce, job.file("content"));
        int tagSize = cipher.authenticated() ? TAG_SIZE : 0;
        EncryptedContentInfo content = new EncryptedContentInfo(CMSObjectIdentifiers.data,
                new AlgorithmIdentifier(cipher.oid(), cipher.parameters(nonce)),
                new DEROctetString(Arrays.copyOf(sealed, sealed.length - tagSize)));
        ASN1Set recipients = new DERSet(RecipientInfos.make(job, key, cipher));
        if (!cipher.authenticated())
            return new ContentInfo(CMSObjectIdentifiers.envelopedData,
                    new EnvelopedData(null, recipients, content, (ASN1Set) null))
                    .getEncoded("DER");
        ASN1OctetString tag = new DEROctetString(Arrays.copyOfRange(sealed, sealed.length - tagSize, sealed.length));
        return new ContentInfo(CMSObjectIdentifiers.authEnvelopedData,
                new AuthEnvelopedData(null, recipients, content, null, tag, null))
                .getEncoded("DER");
    }

    static byte[] concatenated(byte[]... parts) {
        int size = 0;
        for (byte[] part : parts) size += part.length;
        byte[] whole = new byte[size];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, whole, at, part.length);
            at += part.length;
        }
        return whole;
    }
}
