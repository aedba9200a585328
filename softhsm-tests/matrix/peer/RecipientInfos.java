import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.cms.IssuerAndSerialNumber;
import org.bouncycastle.asn1.cms.KEKRecipientInfo;
import org.bouncycastle.asn1.cms.KeyAgreeRecipientIdentifier;
import org.bouncycastle.asn1.cms.KeyAgreeRecipientInfo;
import org.bouncycastle.asn1.cms.KeyTransRecipientInfo;
import org.bouncycastle.asn1.cms.OriginatorIdentifierOrKey;
import org.bouncycastle.asn1.cms.OriginatorPublicKey;
import org.bouncycastle.asn1.cms.PasswordRecipientInfo;
import org.bouncycastle.asn1.cms.RecipientEncryptedKey;
import org.bouncycastle.asn1.cms.RecipientInfo;
import org.bouncycastle.asn1.cms.ecc.ECCCMSSharedInfo;
import org.bouncycastle.asn1.pkcs.PBKDF2Params;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAESOAEPparams;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.operator.DefaultDigestAlgorithmIdentifierFinder;
import org.bouncycastle.operator.jcajce.JceGenericKey;

/** RecipientInfos are read, and written for X25519 and X448, with the JDK's primitives. */
final class RecipientInfos {
    private static final Map<ASN1ObjectIdentifier, Integer> WRAP_SIZES =
            Map.of(new ASN1ObjectIdentifier("2.16.840.1.101.3.4.1.5"), 16,
                    new ASN1ObjectIdentifier("2.16.840.1.101.3.4.1.25"), 24,
                    new ASN1ObjectIdentifier("2.16.840.1.101.3.4.1.45"), 32);

    private record Kdf(boolean hkdf, String hash) {}

    /** By the last arcs of dhSinglePass-stdDH and -cofactorDH (RFC 5753) and of RFC 8418. */
    private static final Map<String, Kdf> KDFS = Map.ofEntries(
            Map.entry("1.3.133.16.840.63.0.2", new Kdf(false, "SHA-1")),
            Map.entry("1.3.133.16.840.63.0.3", new Kdf(false, "SHA-1")),
            Map.entry("1.3.132.1.11.0", new Kdf(false, "SHA-224")),
            Map.entry("1.3.132.1.11.1", new Kdf(false, "SHA-256")),
            Map.entry("1.3.132.1.11.2", new Kdf(false, "SHA-384")),
            Map.entry("1.3.132.1.11.3", new Kdf(false, "SHA-512")),
            Map.entry("1.3.132.1.14.0", new Kdf(false, "SHA-224")),
            Map.entry("1.3.132.1.14.1", new Kdf(false, "SHA-256")),
            Map.entry("1.3.132.1.14.2", new Kdf(false, "SHA-384")),
            Map.entry("1.3.132.1.14.3", new Kdf(false, "SHA-512")),
            Map.entry("1.2.840.113549.1.9.16.3.19", new Kdf(true, "SHA-256")),
            Map.entry("1.2.840.113549.1.9.16.3.20", new Kdf(true, "SHA-384")),
            Map.entry("1.2.840.113549.1.9.16.3.21", new Kdf(true, "SHA-512")));

    private RecipientInfos() {}

    static byte[] contentKey(Job job, RecipientInfo recipient) throws Exception {
        ASN1Encodable info = recipient.getInfo();
        if (info instanceof KeyTransRecipientInfo transport) return transported(job, transport);
        if (info instanceof KeyAgreeRecipientInfo agreement) return agreed(job, agreement);
        if (info instanceof PasswordRecipientInfo password) return byPassword(job, password);
        KEKRecipientInfo kek = KEKRecipientInfo.getInstance(info);
        expect(WRAP_SIZES.get(kek.getKeyEncryptionAlgorithm().getAlgorithm()) == job.hex("secret").length, "wrap");
        return unwrap(job.hex("secret"), kek.getEncryptedKey());
    }

    /** make writes the RecipientInfo of a job: by hand for X25519 and X448, else by Bouncy Castle. */
    static RecipientInfo make(Job job, byte[] contentKey, ContentCipher cipher) throws Exception {
        if (!job.text("management").equals("xdh"))
            return Management.generator(job).generate(new JceGenericKey(
                    new AlgorithmIdentifier(cipher.oid()), new SecretKeySpec(contentKey, "AES")));
        PublicKey peer = KeyFactory.getInstance("XDH", "SunEC")
                .generatePublic(new X509EncodedKeySpec(job.certificate().getPublicKey().getEncoded()));
        SubjectPublicKeyInfo peerInfo = SubjectPublicKeyInfo.getInstance(peer.getEncoded());
        KeyPair own = KeyPairGenerator.getInstance(curve(peerInfo.getAlgorithm()), "SunEC").generateKeyPair();
        SubjectPublicKeyInfo ownInfo = SubjectPublicKeyInfo.getInstance(own.getPublic().getEncoded());
        AlgorithmIdentifier wrap = new AlgorithmIdentifier(Management.wrap(job));
        ASN1OctetString ukm = job.has("ukm") ? new DEROctetString(job.hex("ukm")) : null;
        Kdf kdf = new Kdf(true, Management.digest(job.text("hash")));
        byte[] wrapping = derive(kdf, secret(own.getPrivate(), peer), wrap, ukm);
        Cipher wrapper = Cipher.getInstance("AESWrap");
        wrapper.init(Cipher.WRAP_MODE, new SecretKeySpec(wrapping, "AES"));
        RecipientEncryptedKey key = new RecipientEncryptedKey(
                new KeyAgreeRecipientIdentifier(new IssuerAndSerialNumber(
                        new JcaX509CertificateHolder(job.certificate()).toASN1Structure())),
                new DEROctetString(wrapper.wrap(new SecretKeySpec(contentKey, "AES"))));
        return new RecipientInfo(new KeyAgreeRecipientInfo(
                new OriginatorIdentifierOrKey(
                        new OriginatorPublicKey(ownInfo.getAlgorithm(), ownInfo.getPublicKeyData().getBytes())),
                ukm, new AlgorithmIdentifier(Management.HKDF.get(job.text("hash")), wrap), new DERSequence(key)));
    }

    private static byte[] transported(Job job, KeyTransRecipientInfo info) throws Exception {
        AlgorithmIdentifier algorithm = info.getKeyEncryptionAlgorithm();
        boolean oaep = algorithm.getAlgorithm().equals(PKCSObjectIdentifiers.id_RSAES_OAEP);
        expect(oaep == job.text("management").equals("rsa-oaep"), "key transport");
        PrivateKey key = job.privateKey("RSA", "SunRsaSign");
        Cipher cipher = Cipher.getInstance(oaep ? "RSA/ECB/OAEPPadding" : "RSA/ECB/PKCS1Padding", "SunJCE");
        if (oaep)
            cipher.init(Cipher.DECRYPT_MODE, key, oaep(job, RSAESOAEPparams.getInstance(algorithm.getParameters())));
        else
            cipher.init(Cipher.DECRYPT_MODE, key);
        return cipher.doFinal(info.getEncryptedKey().getOctets());
    }

    private static OAEPParameterSpec oaep(Job job, RSAESOAEPparams parameters) {
        AlgorithmIdentifier mask =
                AlgorithmIdentifier.getInstance(parameters.getMaskGenAlgorithm().getParameters());
        String hash = digest(parameters.getHashAlgorithm(), job.text("hash"), "OAEP hash");
        String mgf = digest(mask, job.text("mgf"), "MGF1 hash");
        byte[] label = ASN1OctetString.getInstance(parameters.getPSourceAlgorithm().getParameters()).getOctets();
        expect(Arrays.equals(label, job.hex("label")), "label");
        return new OAEPParameterSpec(hash, "MGF1", new MGF1ParameterSpec(mgf), new PSource.PSpecified(label));
    }

    /** digest is the JDK's name of a hash, "SHA-512/256", which must be the one asked for. */
    private static String digest(AlgorithmIdentifier algorithm, String asked, String what) {
        String name = Management.digest(asked);
        AlgorithmIdentifier expected = new DefaultDigestAlgorithmIdentifierFinder().find(name);
        expect(expected.getAlgorithm().equals(algorithm.getAlgorithm()), what);
        return name.replace("512-", "512/");
    }

    private static byte[] agreed(Job job, KeyAgreeRecipientInfo info) throws Exception {
        PrivateKeyInfo own = PrivateKeyInfo.getInstance(job.file("key"));
        AlgorithmIdentifier type = own.getPrivateKeyAlgorithm();
        boolean xdh = job.text("management").equals("xdh");
        String algorithm = xdh ? "XDH" : "EC";
        String provider = xdh ? "SunEC" : "BC"; // the JDK has given the brainpool curves up
        OriginatorPublicKey originator = info.getOriginator().getOriginatorKey();
        expect(originator.getAlgorithm().getAlgorithm().equals(type.getAlgorithm()), "originator key");
        PublicKey peer = KeyFactory.getInstance(algorithm, provider)
                .generatePublic(new X509EncodedKeySpec(
                        new SubjectPublicKeyInfo(type, originator.getPublicKey().getBytes()).getEncoded()));
        AlgorithmIdentifier scheme = info.getKeyEncryptionAlgorithm();
        AlgorithmIdentifier wrap = AlgorithmIdentifier.getInstance(scheme.getParameters());
        Kdf kdf = KDFS.get(scheme.getAlgorithm().getId());
        expect(kdf.hkdf() == xdh && kdf.hash().equals(Management.digest(job.text("hash"))), "KDF");
        expect(wrap.getAlgorithm().equals(Management.wrap(job)), "key wrap");
        byte[] secret = secret(job.privateKey(algorithm, provider), peer);
        byte[] wrapping = derive(kdf, secret, wrap, info.getUserKeyingMaterial());
        return unwrap(wrapping,
                RecipientEncryptedKey.getInstance(info.getRecipientEncryptedKeys().getObjectAt(0)).getEncryptedKey());
    }

    private static String curve(AlgorithmIdentifier type) {
        return type.getAlgorithm().getId().equals("1.3.101.110") ? "X25519" : "X448";
    }

    private static byte[] secret(PrivateKey own, PublicKey peer) throws GeneralSecurityException {
        boolean xdh = own.getAlgorithm().startsWith("X");
        KeyAgreement agreement = KeyAgreement.getInstance(xdh ? "XDH" : "ECDH", xdh ? "SunEC" : "BC");
        agreement.init(own);
        agreement.doPhase(peer, true);
        return agreement.generateSecret();
    }

    private static byte[] derive(Kdf kdf, byte[] secret, AlgorithmIdentifier wrap, ASN1OctetString ukm)
            throws Exception {
        int size = WRAP_SIZES.get(wrap.getAlgorithm());
        byte[] bits = ByteBuffer.allocate(4).putInt(8 * size).array();
        byte[] given = ukm == null ? null : ukm.getOctets();
        byte[] info = new ECCCMSSharedInfo(wrap, given, bits).getEncoded("DER");
        byte[] key = kdf.hkdf() ? hkdf(kdf.hash(), secret, given, info, size) : x963(kdf.hash(), secret, info, size);
        return Arrays.copyOf(key, size);
    }

    /** x963 is the KDF of ANSI X9.63 (SEC 1 section 3.6.1). */
    private static byte[] x963(String hash, byte[] secret, byte[] info, int size) throws GeneralSecurityException {
        byte[] key = new byte[0];
        for (int counter = 1; key.length < size; ++counter) {
            MessageDigest digest = MessageDigest.getInstance(hash);
            digest.update(secret);
            digest.update(new byte[] {0, 0, 0, (byte) counter});
            key = ByHand.concatenated(key, digest.digest(info));
        }
        return key;
    }

    /** hkdf is extract and expand (RFC 5869 section 2); no salt is as many zeros as the hash is long. */
    private static byte[] hkdf(String hash, byte[] secret, byte[] salt, byte[] info, int size)
            throws GeneralSecurityException {
        String name = "Hmac" + hash.replace("-", "");
        byte[] zeros = new byte[MessageDigest.getInstance(hash).getDigestLength()];
        byte[] random = mac(name, salt == null ? zeros : salt, secret);
        byte[] block = new byte[0];
        byte[] key = new byte[0];
        for (int counter = 1; key.length < size; ++counter) {
            block = mac(name, random, ByHand.concatenated(block, info, new byte[] {(byte) counter}));
            key = ByHand.concatenated(key, block);
        }
        return key;
    }

    private static byte[] mac(String name, byte[] key, byte[] message) throws GeneralSecurityException {
        Mac mac = Mac.getInstance(name);
        mac.init(new SecretKeySpec(key, name));
        return mac.doFinal(message);
    }

    private static byte[] unwrap(byte[] key, ASN1OctetString wrapped) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AESWrap");
        cipher.init(Cipher.UNWRAP_MODE, new SecretKeySpec(key, "AES"));
        return cipher.unwrap(wrapped.getOctets(), "AES", Cipher.SECRET_KEY).getEncoded();
    }

    /** byPassword is PBKDF2 and PWRI-KEK (RFC 3211 section 2.3.2). */
    private static byte[] byPassword(Job job, PasswordRecipientInfo info) throws Exception {
        PBKDF2Params derivation = PBKDF2Params.getInstance(info.getKeyDerivationAlgorithm().getParameters());
        AlgorithmIdentifier inner =
                AlgorithmIdentifier.getInstance(info.getKeyEncryptionAlgorithm().getParameters());
        int size = ContentCipher.of(inner.getAlgorithm()).keySize();
        boolean sha1 = derivation.getPrf().getAlgorithm().equals(PKCSObjectIdentifiers.id_hmacWithSHA1);
        expect(sha1 || derivation.getPrf().getAlgorithm().equals(PKCSObjectIdentifiers.id_hmacWithSHA256), "PRF");
        byte[] key = SecretKeyFactory.getInstance(sha1 ? "PBKDF2WithHmacSHA1" : "PBKDF2WithHmacSHA256")
                .generateSecret(new PBEKeySpec(job.text("secret").toCharArray(), derivation.getSalt(),
                        derivation.getIterationCount().intValueExact(), size * 8))
                .getEncoded();
        byte[] iv = ASN1OctetString.getInstance(inner.getParameters()).getOctets();
        byte[] block = twiceDecrypted(key, iv, info.getEncryptedKey().getOctets());
        int length = block[0] & 0xff;
        for (int i = 1; i < 4; ++i) expect((block[i] ^ block[i + 3]) == (byte) 0xff, "check value");
        return Arrays.copyOfRange(block, 4, 4 + length);
    }

    private static byte[] twiceDecrypted(byte[] key, byte[] iv, byte[] wrapped) throws GeneralSecurityException {
        byte[] last = Arrays.copyOfRange(wrapped, wrapped.length - 32, wrapped.length - 16);
        byte[] end = cbc(key, last, Arrays.copyOfRange(wrapped, wrapped.length - 16, wrapped.length));
        byte[] inner = cbc(key, end, wrapped);
        // The first pass's IV was the last block of ciphertext of the inner pass.
        System.arraycopy(end, 0, inner, inner.length - 16, 16);
        return cbc(key, iv, inner);
    }

    private static byte[] cbc(byte[] key, byte[] iv, byte[] input) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/CBC/NoPadding");
        cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(iv));
        return cipher.doFinal(input);
    }

    private static void expect(boolean holds, String what) {
        if (!holds) throw new IllegalStateException("another " + what + " than asked for");
    }
}
