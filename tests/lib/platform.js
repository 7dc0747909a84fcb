// Stand-ins for the profile and appointments services' HTTP interfaces, as the platform has them: fields in camel case,
// local date-times without a zone, and each service's own way to say that something is not there.
import http from 'node:http';
import { randomUUID } from 'node:crypto';
import { freePort } from './free_port.js';

/** A date-time as Java's LocalDateTime is written: no zone, seconds always, as many fraction digits as wanted. */
export function javaLocal(date, digits = 0) {
    const [seconds] = date.toISOString().split('.');
    if (digits === 0) return seconds;
    const nanos = `${String(date.getUTCMilliseconds()).padStart(3, '0')}456789`;
    return `${seconds}.${nanos.slice(0, digits)}`;
}

/** The error body of the framework that both services are written with. */
const springError = (status, error, path) => ({ timestamp: new Date().toISOString().replace('Z', '+00:00'), status, error, path });

/** An HTTP service that can be slow, silent or gone. */
class Neighbour {
    static async start() {
        const neighbour = new this();
        neighbour.port = await freePort();
        neighbour.url = `http://127.0.0.1:${neighbour.port}`;
        neighbour.requests = [];
        neighbour.delay = 0;
        neighbour.silent = false;
        neighbour.failing = false;
        await neighbour.up();
        return neighbour;
    }

    up() {
        this.server = http.createServer((request, response) => this.receive(request, response));
        return new Promise((resolve, reject) => {
            this.server.once('error', reject);
            this.server.listen(this.port, '127.0.0.1', resolve);
        });
    }

    /** Nobody listens on its port any more, and who was connected is no longer. */
    async down() {
        const { server } = this;
        this.server = undefined;
        if (!server) return;
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        await closed;
    }

    stop() {
        return this.down();
    }

    receive(request, response) {
        const url = new URL(request.url, this.url);
        this.requests.push({ method: request.method, path: url.pathname, headers: request.headers, time: Date.now() });
        if (this.silent) return;
        setTimeout(() => {
            if (response.destroyed) return;
            const [status, body] = this.failing ? [500, { error: 'Internal Server Error' }] : this.answer(request, url);
            const text = body === undefined ? '' : JSON.stringify(body);
            response.writeHead(status, { ...(text ? { 'Content-Type': 'application/json' } : {}), 'Content-Length': Buffer.byteLength(text) });
            response.end(text);
        }, this.delay);
    }
}

export class Profile extends Neighbour {
    doctors = new Map();
    patients = new Map();
    clinics = new Map();

    addDoctor(userId, changes = {}) {
        const doctor = {
            id: randomUUID(), userId, firstName: 'Ada', lastName: `Doctor${userId}`, clinicId: 4, specialty: 'Cardiology', consultationFee: 50.0,
            yearsOfExperience: 12, bio: null, telecomUrl: null, licensePhotoUrl: null, averageRating: 4.7, ratingCount: 31, virtual: true, verified: true,
            ...changes,
        };
        this.doctors.set(userId, doctor);
        return doctor;
    }

    addPatient(userId, changes = {}) {
        const patient = {
            id: randomUUID(), userId, firstName: 'Paul', lastName: `Patient${userId}`, phoneNumber: '+100', address: null, dob: '1980-02-03',
            insuranceProvider: null, emergencyContact: null, knownAllergies: null, ...changes,
        };
        this.patients.set(userId, patient);
        return patient;
    }

    addClinic(id, changes = {}) {
        const clinic = {
            id, adminUserId: 'admin-1', name: `Clinic ${id}`, physicalAddress: 'Main Street 1', contactPhone: '+200', taxId: 'T', operatingHours: '9-17',
            latitude: 6.9, longitude: 79.8, doctorUuids: [], ...changes,
        };
        this.clinics.set(String(id), clinic);
        return clinic;
    }

    answer(request, url) {
        const missing = [404, springError(404, 'Not Found', url.pathname)];
        const given = (value) => (value === undefined ? missing : [200, value]);
        const [, first, second, third] = url.pathname.split('/').map(decodeURIComponent);
        if (request.method !== 'GET') return [405, springError(405, 'Method Not Allowed', url.pathname)];
        if (first === 'doctor' && second && !third) return given(this.doctors.get(second));
        if (first === 'doctors') {
            const clinic = url.searchParams.get('clinicId');
            return [200, [...this.doctors.values()].filter((each) => clinic === null || String(each.clinicId) === clinic)];
        }
        if (first === 'patient' && second === 'me') {
            if (request.headers['x-user-role'] !== 'PATIENT') return [403, springError(403, 'Forbidden', url.pathname)];
            return given(this.patients.get(request.headers['x-user-id']));
        }
        if (first === 'clinic' && second === 'admin') return given([...this.clinics.values()].find((each) => each.adminUserId === third));
        if (first === 'clinic' && second) return given(this.clinics.get(second));
        return missing;
    }
}

/** An appointment as the service shows it. */
export function appointmentOf({ appointmentId = randomUUID(), doctorId, patientId, time, changes = {} }) {
    const start = javaLocal(time);
    return {
        appointmentId, patientId, doctorId,
        doctor: { userId: doctorId, name: `Dr. Ada Doctor${doctorId}`, specialization: 'Cardiology' },
        clinic: { id: 4, name: 'Clinic 4', address: 'Main Street 1' },
        session: { id: 7, dayOfWeek: 'MONDAY', sessionStartTime: '09:00:00', sessionEndTime: '12:00:00', serviceType: 'VIRTUAL', estimatedConsultationMinutes: 30 },
        appointmentDate: start, queueNumber: 3, appointmentType: 'VIRTUAL', status: 'BOOKED', chiefComplaint: 'Follow-up', consultationFee: 50.0,
        paymentStatus: 'PENDING', paymentId: null, doctorNotes: null, estimatedStartTime: start, actualStartTime: null, actualEndTime: null,
        createdAt: javaLocal(new Date(), 9), updatedAt: javaLocal(new Date(), 6), meetingLink: null, meetingId: null,
        ...changes,
    };
}

export class Appointments extends Neighbour {
    appointments = new Map();

    add(appointment) {
        this.appointments.set(appointment.appointmentId, appointment);
        return appointment;
    }

    answer(request, url) {
        const missing = [404, springError(404, 'Not Found', url.pathname)];
        const steps = url.pathname.split('/').slice(1).map(decodeURIComponent);
        if (request.method !== 'GET') return [405, springError(405, 'Method Not Allowed', url.pathname)];
        if (steps[0] === 'appointments' && steps[1] === 'patient') {
            return [200, [...this.appointments.values()].filter((each) => each.patientId === steps[2])];
        }
        if (steps[0] === 'appointments' && steps.length === 2) {
            // This one says so with nothing at all.
            return this.appointments.has(steps[1]) ? [200, this.appointments.get(steps[1])] : [404, undefined];
        }
        if (steps[0] === 'api' && steps[1] === 'video-consultations' && steps[3] === 'status') {
            const found = this.appointments.get(steps[2]);
            if (!found) return missing;
            return [200, {
                appointmentId: found.appointmentId, videoReady: Boolean(found.meetingLink), meetingId: found.meetingId, meetingLink: found.meetingLink ?? 'pending',
                paymentStatus: found.paymentStatus, appointmentStatus: found.status, message: 'ok',
            }];
        }
        return missing;
    }
}
